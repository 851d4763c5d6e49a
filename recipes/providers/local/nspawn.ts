import { isKraftError, KraftError } from '../../../engine/errors/failure.js'
import type { Listed, NodeWork, Snapshot } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { lines, type Sh, sh } from '../../../engine/shell/sh.js'
import { claimAddress, readClaims, stateLock } from './claim.js'
import type { Engine, Wish } from './engine.js'
import { filesUp, personalise } from './files.js'
import { prepareHost, unable } from './host.js'
import { buildImage, imageName } from './image.js'
import { listens } from './listens.js'
import { machineDown, machineOff, machineState, machineUp } from './machine.js'
import { installMirrors, mirrorsUp, waitForMirrors } from './mirrors.js'
import { bridgeName, checkName, type NodeNames, nodeNames, type State } from './names.js'
import { bridgeUp, cableUp } from './network.js'
import { asRoot, checkInterrupt, checkRoot } from './root.js'
import {
  checkSnapshotName,
  decideRestore,
  forgetSnapshot,
  listSnapshots,
  parseSnapshots,
  prepareRestore,
  takeSnapshot,
} from './snapshot.js'
import { stateFrom, stateOf } from './state.js'

/** systemd-nspawn on Linux: the nodes have addresses of their own that this machine reaches. */
export const engine: Engine = {
  name: 'nspawn',
  unable,
  create,
  describe: (record) => machineState(...whereabouts(record)),
  start,
  destroy,
  list,
  snapshots: {
    doc: 'its processes stand still while its files are copied, and go on',
    list: snapshotsOf,
    take,
    restore,
    forget,
  },
}

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

async function create({ name, image, user, publicKey, progress, signal }: Wish): Promise<NodeRecord> {
  checkName(name)
  const state = stateFrom(process.env)
  await prepareHost(state, progress, signal)
  await buildImage(state, image, progress, signal)
  await installMirrors(state, progress, signal)
  checkInterrupt(signal)
  const { node, fresh } = await claimAddress(state, name)
  try {
    const files = await personalise(state, node, { image: imageName(image), publicKey, user })
    const hostKeys = await boot(state, node, files, signal)
    return {
      name,
      provider: 'local',
      id: node.id,
      address: node.address,
      user,
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

async function start(record: NodeRecord, { progress, signal }: NodeWork): Promise<NodeRecord> {
  const [state, node] = whereabouts(record)
  await prepareHost(state, progress, signal)
  await requireFiles(record, state, node)
  await installMirrors(state, progress, signal)
  await boot(state, node, filesUp(state, node), signal)
  return record
}

async function requireFiles(record: NodeRecord, state: State, node: NodeNames): Promise<void> {
  if ((await machineState(state, node)) !== 'missing') return
  throw new KraftError({
    kind: 'task',
    node: record.name,
    message: `its files are gone from ${state.root}`,
    next: `Forget it with kraft terminate:${record.name} and provision it anew.`,
  })
}

async function snapshotsOf(record: NodeRecord): Promise<Snapshot[]> {
  const [, node] = whereabouts(record)
  await checkRoot()
  return parseSnapshots((await asRoot(`List the snapshots of ${node.name}`, listSnapshots(node))).stdout)
}

async function take(record: NodeRecord, name: string, { progress, signal }: NodeWork): Promise<Snapshot> {
  const [state, node] = whereabouts(record)
  checkSnapshotName(name)
  await checkRoot()
  await requireFiles(record, state, node)
  progress(`Copying what ${record.name} keeps`)
  const { stdout } = await asRoot(`Keep ${record.name} as ${name}`, takeSnapshot(node, name, record.host_keys), {
    lock: stateLock(state),
    signal,
  })
  const [snapshot] = parseSnapshots(`${name} ${stdout}`)
  if (snapshot === undefined) throw new TypeError('A snapshot that was taken says when')
  return snapshot
}

async function restore(record: NodeRecord, name: string, { progress, signal }: NodeWork): Promise<NodeRecord> {
  const [state, node] = whereabouts(record)
  checkSnapshotName(name)
  await prepareHost(state, progress, signal)
  await requireFiles(record, state, node)
  await installMirrors(state, progress, signal)
  progress(`Copying the snapshot ${name}`)
  const files = lines(prepareRestore(state, node, name), machineOff(node), decideRestore(node))
  await asRoot(`Put ${record.name} back as ${name}`, files, { lock: stateLock(state), signal })
  progress(`Starting ${record.name}`)
  return { ...record, host_keys: await boot(state, node, filesUp(state, node), signal) }
}

async function forget(record: NodeRecord, name: string): Promise<void> {
  const [state, node] = whereabouts(record)
  checkSnapshotName(name)
  await checkRoot()
  await asRoot(`Delete the snapshot ${name} of ${record.name}`, forgetSnapshot(node, name), { lock: stateLock(state) })
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
