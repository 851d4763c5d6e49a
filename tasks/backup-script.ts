import type { Writable } from 'node:stream'
import { isKraftError, KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import { receiveStream } from '../engine/transfer/receive.js'
import type { Instance } from '../project/instance.js'
import { type Backup, type BackupState, backupScript, parseBackups, parseList, readBackups } from '../recipes/backups.js'

/** How it stands with the backups of an instance. Throws `task` where a deploy has not set them up. */
export async function backupState(node: Node, instance: Instance, word: string): Promise<BackupState> {
  const state = parseBackups(await node.read(readBackups(instance).text))
  if (state !== undefined) return state
  throw new KraftError({
    kind: 'task',
    node: node.name,
    message: `no backups of ${instance.name} are set up there yet`,
    next: `The next deploy does it: kraft deploy:${word}`,
  })
}

/** All backups of an instance that S3 has, the newest first. */
export async function listBackups(node: Node, instance: Instance): Promise<readonly Backup[]> {
  return parseList(await saying(node, () => node.read(backupScript(instance, 'list').text)))
}

/** Finds a backup by its id, or `newest`: the newest that is whole. Throws `usage`. */
export function chooseBackup(all: readonly Backup[], id: string | undefined, verb: string, word: string): Backup {
  const good = all.filter(({ whole }) => whole)
  const found = id === 'newest' ? good[0] : all.find((each) => each.id === id)
  if (found !== undefined) return found
  const newest = good[0] === undefined ? '' : `, the newest is ${good[0].id}`
  const none = id === 'newest' ? 'There is no backup yet that is whole' : `There is no backup ${id}${newest}`
  throw new KraftError({
    kind: 'usage',
    message: id === undefined ? `backups ${verb} needs the id of a backup, or newest` : none,
    next: `kraft backups:${word} lists all`,
  })
}

/** Streams a backup out of S3 by way of the node, which compares its SHA-256 at the end. */
export async function streamBackup(
  node: Node,
  instance: Instance,
  { id }: Backup,
  sink: Writable,
  count: (bytes: number) => void,
): Promise<void> {
  const command = node.asRoot(backupScript(instance, 'get', id).text)
  await saying(node, () => receiveStream(node.connection, command, '', sink, count))
}

// What the script says is for people already.
async function saying<T>(node: Node, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!isKraftError(error) || error.failure.kind !== 'command' || error.failure.output === '') throw error
    throw new KraftError({ kind: 'task', node: node.name, message: error.failure.output }, error)
  }
}
