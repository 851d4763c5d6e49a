import { readdir, readFile } from 'node:fs/promises'
import { KraftError } from '../../../engine/errors/failure.js'
import { sh } from '../../../engine/shell/sh.js'
import { missing } from './missing.js'
import { chooseOctet, type NodeNames, nodeNames, type State } from './names.js'
import { asRoot, explain } from './root.js'

/** A node's name and address, and whether this run took them: only then may it undo them. */
export interface Claim {
  readonly node: NodeNames
  /** False: an earlier run finished making the node's files. */
  readonly fresh: boolean
}

const collision = 75

/** The file that all scripts lock which change what the nodes of a state share. */
export function stateLock(state: State): string {
  return `${state.root}/locks/state`
}

/**
 * Takes a free address for a node, or finds the one that it has. Two runs at once never get the same. Throws a KraftError where
 * all addresses are taken.
 */
export async function claimAddress(state: State, name: string): Promise<Claim> {
  for (;;) {
    const claims = await readClaims(state)
    const own = [...claims].find(([, holder]) => holder === name)?.[0]
    const octet = own ?? chooseOctet(name, new Set(claims.keys()))
    if (octet === undefined) {
      throw new KraftError({
        kind: 'task',
        message: `All ${claims.size} addresses of ${state.subnet}.0/24 are taken`,
        next: 'Remove a node: kraft terminate:NAME',
      })
    }
    const node = nodeNames(state, name, octet)
    const { stdout, code } = await asRoot(
      `Take the address ${node.address}`,
      sh`
        install -d -m 755 ${state.root} ${state.root}/addresses ${state.root}/run
        install -d -m 700 ${state.root}/nodes
        cd ${state.root}/addresses
        [ ! -e ${octet} ] || [ "$(cat ${octet})" = ${name} ] || exit ${collision}
        [ -e ${octet} ] || ! grep -qxF -e ${name} -- * 2>/dev/null || exit ${collision}
        if [ -z "$(ls)" ]; then echo ${state.subnet} >../subnet; fi
        [ "$(cat ../subnet)" = ${state.subnet} ] || ${explain(
          `The local nodes in ${state.root} have another network than ${state.subnet}.0/24`,
          'Unset KRAFT_LOCAL_SUBNET, or set KRAFT_LOCAL_STATE to another folder',
        )}
        echo ${name} >${octet}
        [ ! -e ${node.folder}/made ] || echo made`,
      { lock: stateLock(state), expected: [collision] },
    )
    if (code === 0) return { node, fresh: stdout.trim() !== 'made' }
  }
}

/** Which node holds which address of a state. */
export async function readClaims(state: State): Promise<Map<number, string>> {
  const files = await readdir(`${state.root}/addresses`).catch(missing<string[]>([]))
  const claims = await Promise.all(
    files.map(
      async (file) =>
        [Number(file), (await readFile(`${state.root}/addresses/${file}`, 'utf8').catch(missing(''))).trim()] as const,
    ),
  )
  return new Map(claims)
}
