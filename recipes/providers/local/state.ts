import type { NodeRecord } from '../../../engine/node/record.js'
import { lines, sh } from '../../../engine/shell/sh.js'
import { readClaims, stateLock } from './claim.js'
import { machineDown } from './machine.js'
import { mirrorsDown } from './mirrors.js'
import { bridgeName, checkState, nodeNames, octets, type State } from './names.js'
import { bridgeDown, owner } from './network.js'
import { asRoot, checkRoot } from './root.js'

/**
 * The state that `KRAFT_LOCAL_STATE` and `KRAFT_LOCAL_SUBNET` name, else /var/lib/kraftwerk with 10.77.0. Throws a KraftError.
 */
export function stateFrom(environ: NodeJS.ProcessEnv): State {
  return checkState({
    root: environ.KRAFT_LOCAL_STATE || '/var/lib/kraftwerk',
    subnet: environ.KRAFT_LOCAL_SUBNET || '10.77.0',
  })
}

/** The state that a node is in, by what kraft remembers of it: whatever the variables say now. */
export function stateOf(record: NodeRecord): State {
  return checkState({
    root: record.made?.state ?? stateFrom(process.env).root,
    subnet: record.address.split('.').slice(0, 3).join('.'),
  })
}

/**
 * Removes all nodes of a state and whatever a crashed run left of them: processes, namespaces, cgroups, mounts, the bridge, the
 * mirrors' processes. Images and caches stay, as making them takes a minute, unless `caches` is true: then the whole folder goes.
 *
 * @example await removeState({ root: '/var/lib/kraftwerk-tests/local', subnet: '10.77.21' })
 */
export async function removeState(state: State, options: { readonly caches?: boolean } = {}): Promise<void> {
  checkState(state)
  await checkRoot()
  for (const [octet, name] of await readClaims(state)) {
    await asRoot(`Remove the local node ${name}`, machineDown(state, nodeNames(state, name, octet)), { lock: stateLock(state) })
  }
  await asRoot(
    `Remove the local nodes in ${state.root}`,
    lines(
      ...(await strays(state)).map((octet) => machineDown(state, nodeNames(state, `stray-${octet}`, octet))),
      sh`rm -rf --one-file-system ${state.root}/nodes ${state.root}/run ${state.root}/addresses`,
      mirrorsDown(state),
      bridgeDown(state),
      options.caches === true ? sh`rm -rf --one-file-system ${state.root}` : undefined,
    ),
    { lock: stateLock(state) },
  )
}

/**
 * Removes those nodes of the state that the variables name whose name is asked for, whoever remembers them.
 *
 * @example await removeLocalNodes((name) => name.startsWith('recipe-test-'))
 */
export async function removeLocalNodes(which: (name: string) => boolean): Promise<void> {
  const state = stateFrom(process.env)
  for (const [octet, name] of await readClaims(state)) {
    if (!which(name)) continue
    await asRoot(`Remove the local node ${name}`, machineDown(state, nodeNames(state, name, octet)), { lock: stateLock(state) })
  }
}

// Cables and cgroups whose claim is lost still bear the address in their names. In a network of another folder they are its nodes'.
async function strays(state: State): Promise<number[]> {
  const { stdout } = await asRoot(
    'Look for remains of local nodes',
    sh`
    bridge=/sys/class/net/${bridgeName(state)}
    if [ -e "$bridge" ] && [ "$(cat "$bridge/ifalias")" != ${owner(state)} ]; then exit 0; fi
    ls -d /run/netns/${bridgeName(state)}?? /sys/fs/cgroup/${bridgeName(state)}?? /sys/fs/cgroup/*/${bridgeName(state)}?? 2>/dev/null || :`,
  )
  const found = stdout.split('\n').map((path) => Number.parseInt(path.slice(-2), 16))
  return [...new Set(found)].filter((octet) => octet >= octets.first && octet <= octets.last)
}
