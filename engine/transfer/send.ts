import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { KraftError } from '../errors/failure.js'
import type { Connection } from '../ssh/connection.js'

/** Packs files of a folder with tar and hands them to a command on a node, which unpacks them. Returns the bytes sent; `count` hears of them. */
export async function sendFiles(
  connection: Connection,
  folder: string,
  files: readonly string[],
  command: string,
  count?: (bytes: number) => void,
): Promise<number> {
  let complaint = ''
  let packed: Promise<unknown[]> | undefined
  const pack = (): Readable => {
    const tar = spawn('tar', ['--null', '--no-recursion', '-C', folder, '-cf', '-', '-T', '-'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // macOS would add files of its own.
      env: { ...process.env, COPYFILE_DISABLE: '1' },
    })
    tar.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString()
    })
    // A tar that is not there or ends early says so by its code.
    tar.stdin.on('error', () => undefined)
    packed = once(tar, 'close').catch((error: unknown) => [String(error)])
    tar.stdin.end(files.map((file) => `${file}\0`).join(''))
    return tar.stdout
  }
  const sent = await sendStream(connection, pack, command, count)
  const [code] = (await packed) ?? []
  if (code === 0) return sent
  const output = complaint.trim() || String(code)
  throw new KraftError({ kind: 'task', message: `The files of ${folder} could not be packed`, output })
}

/**
 * Streams bytes into a command on a node and waits for it to succeed. Returns how many. The source is opened when the channel is
 * there to take it: what a program puts out and nobody reads is lost when it ends.
 */
export async function sendStream(
  connection: Connection,
  open: () => Readable,
  command: string,
  count?: (bytes: number) => void,
): Promise<number> {
  const channel = await connection.exec(command)
  const source = open()
  let bytes = 0
  let said = ''
  source.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    count?.(chunk.length)
  })
  for (const stream of [channel.stdout, channel.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000)
    })
  }
  const [piped, exit] = await Promise.allSettled([pipeline(source, channel.stdin), channel.exit])
  if (exit.status === 'rejected') throw exit.reason
  if (exit.value.code !== 0) {
    throw new KraftError({
      kind: 'command',
      node: connection.node,
      command: 'receive files',
      code: exit.value.code,
      output: said.trim(),
    })
  }
  if (piped.status === 'rejected') throw piped.reason
  return bytes
}

/** The bytes that these files have in a tar archive: each has a header and is padded to 512. */
export async function packedSize(folder: string, files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    files.map((file) =>
      lstat(join(folder, file)).then(
        (stats) => 512 + (stats.isFile() ? Math.ceil(stats.size / 512) * 512 : 0),
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, each) => sum + each, 0)
}
