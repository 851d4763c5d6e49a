import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import type { Line } from '../engine/report/report.js'
import { Meter } from '../engine/transfer/meter.js'
import { proveBundle } from '../project/bundle.js'
import type { Instance } from '../project/instance.js'
import type { Manifest } from '../project/manifest.js'
import type { Backup } from '../recipes/backups.js'
import { streamBackup } from './backup-script.js'

/** Whose backup, and what opens it. */
export interface Fetch {
  readonly node: Node
  readonly instance: Instance
  readonly backup: Backup
  /** A file of age's that holds the key; undefined: what is encrypted stays so. */
  readonly identity: string | undefined
}

/**
 * Fetches a backup to a file here. One that is not encrypted, or was opened, is proven as a bundle before it gets its name, and its
 * manifest is returned.
 */
export async function fetchBackup(
  { node, instance, backup, identity }: Fetch,
  file: string,
  line: Line,
): Promise<Manifest | undefined> {
  const part = `${file}.part`
  const opens = backup.encrypted && identity !== undefined
  try {
    // Data of people: nobody else on this machine reads it.
    const out = createWriteStream(part, { mode: 0o600 })
    const { count } = new Meter(line, backup.size)
    const fetch = (sink: Writable) => streamBackup(node, instance, backup, sink, count)
    await (opens ? opening(identity, out, fetch) : fetch(out))
    const manifest = backup.encrypted && !opens ? undefined : await proveBundle(part)
    await rename(part, file)
    return manifest
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** Refuses to go on with what nobody can open. */
export function requireIdentity({ encrypted, id }: Backup, identity: string | undefined): void {
  if (!encrypted || identity !== undefined) return
  throw new KraftError({
    kind: 'usage',
    message: `Backup ${id} is encrypted`,
    next: 'Name the file with the key that opens it: --identity key.txt',
  })
}

// The key never leaves this machine: what is encrypted is opened here.
async function opening(identity: string, out: Writable, fetch: (sink: Writable) => Promise<void>): Promise<void> {
  const age = spawn('age', ['--decrypt', '--identity', identity], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  age.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000)
  })
  const ended = new Promise<void>((resolve, reject) => {
    age.on('error', (error) => reject(noAge(error)))
    age.on('close', (code) => (code === 0 ? resolve() : reject(unopened(said))))
  })
  // Whoever ends early leaves a stream that nobody reads.
  age.stdin.on('error', () => undefined)
  age.stdout.pipe(out)
  const [opened, fetched] = await Promise.allSettled([ended, fetch(age.stdin), finished(out)])
  // What S3 or the node says is wrong explains why it could not be opened, unless it is age that took no more.
  if (opened.status === 'rejected' && said !== '') throw opened.reason
  for (const each of [fetched, opened]) if (each.status === 'rejected') throw each.reason
}

function noAge(error: Error): KraftError {
  const missing = 'code' in error && error.code === 'ENOENT'
  return new KraftError({
    kind: 'task',
    message: missing ? 'There is no program age here, which opens what is encrypted' : error.message,
    next: 'Install it: apt install age, or brew install age',
  })
}

function unopened(said: string): KraftError {
  const reason = said.split('\n').find((row) => row.startsWith('age: error')) ?? said.trim()
  return new KraftError({
    kind: 'task',
    message: `the backup could not be opened: ${reason.replace(/^age: error: /, '')}`,
    next: 'Is it the key of one of those that backup.encrypt names?',
  })
}
