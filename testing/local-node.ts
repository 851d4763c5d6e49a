import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode } from '../engine/node/node.js'
import { quote } from '../engine/shell/sh.js'
import { connect } from '../engine/ssh/connect.js'
import { generateHostKey } from '../engine/ssh/key-pair.js'
import { removeLocalNodes } from '../recipes/providers/local/state.js'
import { provider } from '../recipes/providers/local.js'
import { collect } from './outcome.js'
import { type Attempts, type RecipeNode, recipeNode } from './recipe-node.js'

/** What {@link testNode} is given. */
export interface TestNodeOptions {
  /** Debian release; `bookworm` if left out. */
  readonly image?: 'bookworm' | 'trixie'
  /** The login: `root`, or a user with passwordless sudo that is made. */
  readonly user?: string
  /** Shows how far it is; building the image takes a minute the first time. */
  readonly progress?: (line: string) => void
}

let count = 0

/**
 * Makes a real local node for a test: systemd, sshd and apt, nothing else on it, in about a second. Nodes that tests which were
 * killed have left are removed first. Needs what `kraft provision` needs for a local node; kraft does not remember this one.
 *
 * @throws KraftError where this machine can't have local nodes.
 * @example const node = await testNode()
 */
export async function testNode(options: TestNodeOptions = {}): Promise<RecipeNode> {
  return recipeNode(await localNode(options))
}

/** The same before its failures are thrown, for a recording. */
export async function localNode({ image, user, progress = () => undefined }: TestNodeOptions): Promise<Attempts> {
  await removeLocalNodes((name) => isLeftOver(name))
  count += 1
  const folder = await mkdtemp(join(tmpdir(), 'kraft-recipe-test-'))
  const file = (name: string) => join(folder, name)
  const key = generateHostKey('kraft recipe test')
  await writeFile(file('id'), key.privateKey, { mode: 0o600 })
  const config = [`IdentityFile ${file('id')}`, 'IdentitiesOnly yes', 'IdentityAgent none', 'GlobalKnownHostsFile /dev/null']
  await writeFile(file('config'), `${[...config, `UserKnownHostsFile ${file('known_hosts')}`].join('\n')}\n`)
  try {
    const settings = { ...(image === undefined ? {} : { image }), ...(user === undefined ? {} : { user }) }
    const name = `${prefix}${process.pid}-${count}`
    const record = await provider.create({ name, publicKey: key.publicKey, settings, progress })
    const connection = connect({ record, configFile: file('config') })
    const node = createNode(record, 'every', connection, 'apply', () => undefined)
    return {
      name,
      facts: () => node.facts(),
      attempt: (script, mode) => collect(connection, script, mode),
      run: (script) => node.read(`exec sh -ec ${quote(script)}`),
      async remove() {
        await connection.close()
        await provider.destroy(record, {}, progress)
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

const prefix = 'recipe-test-'

function isLeftOver(name: string): boolean {
  const owner = new RegExp(`^${prefix}(\\d+)-\\d+$`).exec(name)?.[1]
  if (owner === undefined) return false
  try {
    process.kill(Number(owner), 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}
