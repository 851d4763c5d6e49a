import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import type { Line } from '../engine/report/report.js'
import { Meter } from '../engine/transfer/meter.js'
import { proveBundle } from '../project/bundle.js'
import { decrypted } from '../project/encryption.js'
import type { Instance } from '../project/instance.js'
import type { Backup } from '../recipes/backups.js'
import { streamBackup } from './backup-script.js'

/** Whose backup. */
export interface Fetch {
  readonly node: Node
  readonly instance: Instance
  readonly backup: Backup
}

/**
 * Fetches a backup to a file here. One that is encrypted is opened with the keys of the file `identity`, here and nowhere else, or
 * stays as it is without. What is open is proven as a bundle before it gets its name.
 */
export async function fetchBackup({ node, instance, backup }: Fetch, file: string, line: Line, identity?: string): Promise<void> {
  const [closed, part] = [`${file}.age.part`, `${file}.part`]
  const opens = backup.encrypted && identity !== undefined
  // Data of people: nobody else on this machine reads it.
  const write = (path: string) => createWriteStream(path, { mode: 0o600 })
  try {
    await streamBackup(node, instance, backup, write(opens ? closed : part), new Meter(line, backup.size).count)
    if (opens) await pipeline(await decrypted(createReadStream(closed), identity, `backup ${backup.id}`), write(part))
    if (opens || !backup.encrypted) await proveBundle(part)
    await rename(part, file)
  } finally {
    for (const each of [closed, part]) await rm(each, { force: true })
  }
}

/** Refuses to go on with what nobody can open. */
export function requireIdentity({ encrypted, id }: Backup, identity: string | undefined): void {
  if (!encrypted || identity !== undefined) return
  throw new KraftError({
    kind: 'usage',
    message: `Backup ${id} is encrypted`,
    next: 'Name the file with a key that opens it: --identity key.txt',
  })
}
