import * as v from 'valibot'
import type { Section } from '../../engine/config/section.js'
import { isKraftError, KraftError } from '../../engine/errors/failure.js'
import { type CreateRequest, defineProvider, type Listed } from '../../engine/node/provider.js'
import type { NodeRecord } from '../../engine/node/record.js'
import { lines, type Sh, sh } from '../../engine/shell/sh.js'
import { claimAddress, readClaims, stateLock } from './local/claim.js'
import { filesUp, personalise } from './local/files.js'
import { hostLacks, prepareHost } from './local/host.js'
import { buildImage, imageName, suites } from './local/image.js'
import { listens } from './local/listens.js'
import { machineDown, machineState, machineUp } from './local/machine.js'
import { installMirrors, mirrorsUp, waitForMirrors } from './local/mirrors.js'
import { bridgeName, checkName, type NodeNames, nodeNames, type State } from './local/names.js'
import { bridgeUp, cableUp } from './local/network.js'
import { asRoot, checkInterrupt, checkRoot } from './local/root.js'
import { stateFrom, stateOf } from './local/state.js'

const image = v.optional(v.picklist(suites), 'bookworm')
const user = v.optional(
  v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'a user name: lower-case letters, digits, - and _')),
  'root',
)

const section = {
  image: { schema: image, doc: 'Debian release of the node', example: 'trixie' },
  user: { schema: user, doc: 'Login of the node: root, or a user with passwordless sudo that is made', example: 'debian' },
} satisfies Section

const settingsSchema = v.object({ image, user })

/** Real Debian nodes on this very machine: systemd as PID 1, sshd, an address of their own, up in a second. */
export const provider = defineProvider({
  name: 'local',
  doc: 'A real Debian server on this very machine, up in a second (Debian or Ubuntu host, root or sudo)',
  section,
  create,
  describe: (record) => machineState(...whereabouts(record)),
  start,
  destroy,
  lacks: hostLacks,
  list,
  images: async () => suites.map((suite) => ({ id: suite, name: `Debian ${suite}` })),
})

async function list(): Promise<readonly Listed[]> {
  const state = stateFrom(process.env)
  const claims = [...(await readClaims(state))].map(([octet, name]) => nodeNames(state, name, octet))
  return Promise.all(
    claims.map(async (node) => ({
      name: node.name,
      id: node.id,
      state: await machineState(state, node),
      address: node.address,
    })),
  )
}

async function create({ name, publicKey, settings, progress, signal }: CreateRequest): Promise<NodeRecord> {
  const wish = v.parse(settingsSchema, { image: settings.image, user: settings.user })
  checkName(name)
  const state = stateFrom(process.env)
  await prepareHost(state, progress, signal)
  await buildImage(state, wish.image, progress, signal)
  await installMirrors(state, progress, signal)
  checkInterrupt(signal)
  const { node, fresh } = await claimAddress(state, name)
  try {
    const files = await personalise(state, node, { image: imageName(wish.image), publicKey, user: wish.user })
    const hostKeys = await boot(state, node, files, signal)
    return {
      name,
      provider: 'local',
      id: node.id,
      address: node.address,
      user: wish.user,
      host_keys: hostKeys,
      made: { state: state.root, bridge: bridgeName(state) },
    }
  } catch (error) {
    if (fresh) await undo(state, node, progress)
    throw error
  }
}

async function undo(state: State, node: NodeNames, progress: (line: string) => void): Promise<void> {
  progress(`Undoing the local node ${node.name}`)
  try {
    await asRoot(`Undo the local node ${node.name}`, machineDown(state, node), { lock: stateLock(state) })
  } catch (error) {
    // The first failure is the one to report.
    progress(`${error}; the next kraft provision ${node.name} goes on from here`)
  }
}

async function start(record: NodeRecord): Promise<void> {
  const [state, node] = whereabouts(record)
  await prepareHost(state, () => undefined)
  if ((await machineState(state, node)) === 'missing') {
    throw new KraftError({
      kind: 'task',
      node: record.name,
      message: `its files are gone from ${state.root}`,
      next: `Forget it with kraft terminate:${record.name} and provision it anew.`,
    })
  }
  await installMirrors(state, () => undefined)
  await boot(state, node, filesUp(state, node))
}

async function destroy(record: NodeRecord, _settings: unknown, progress: (line: string) => void): Promise<void> {
  const [state, node] = whereabouts(record)
  if ((await machineState(state, node)) === 'missing') return
  await checkRoot()
  progress(`Removing ${node.folder}`)
  await asRoot(`Remove the local node ${record.name}`, machineDown(state, node), { lock: stateLock(state) })
}

function whereabouts(record: NodeRecord): [State, NodeNames] {
  const state = stateOf(record)
  checkName(record.name)
  return [state, nodeNames(state, record.name, Number(record.address.split('.')[3]))]
}

/** Starts a node whose files `files` provides and the mirrors, waits until all answer, and returns its public host keys. */
async function boot(state: State, node: NodeNames, files: Sh, signal?: AbortSignal): Promise<string[]> {
  const script = lines(
    bridgeUp(state),
    await mirrorsUp(state),
    files,
    cableUp(state, node),
    await machineUp(node),
    sh`cat ${node.folder}/host_keys`,
  )
  const { stdout } = await asRoot(`Start the local node ${node.name}`, script, { lock: stateLock(state) })
  const worthwhile = async (): Promise<boolean> => ['starting', 'running'].includes(await machineState(state, node))
  const [up] = await Promise.all([
    listens(node.address, 22, { timeout: 60_000, greeting: 'SSH-', signal, worthwhile }),
    waitForMirrors(state, signal),
  ])
  checkInterrupt(signal)
  if (!up) throw await silent(node)
  return stdout
    .split('\n')
    .filter((line) => /^(ssh|ecdsa)-/.test(line))
    .map((line) => line.split(' ').slice(0, 2).join(' '))
}

async function silent(node: NodeNames): Promise<KraftError> {
  const console = await asRoot('Read the console', sh`tail -n 15 ${node.folder}/console`).catch((error: unknown) => {
    if (isKraftError(error)) return { stdout: error.message }
    throw error
  })
  return new KraftError({
    kind: 'task',
    node: node.name,
    message: `did not come up: no sshd answers on ${node.address}`,
    output: console.stdout.trimEnd(),
    next: 'These are the last lines of its console.',
  })
}
