import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { KraftError } from '../errors/failure.js'
import type { Connection } from '../ssh/connection.js'

/** Packs files of a folder with tar and hands them to a command on a node, which unpacks them. Returns the bytes sent. */
export async function sendFiles(
  connection: Connection,
  folder: string,
  files: readonly string[],
  command: string,
): Promise<number> {
  const tar = spawn('tar', ['--null', '--no-recursion', '-C', folder, '-cf', '-', '-T', '-'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // macOS would add files of its own.
    env: { ...process.env, COPYFILE_DISABLE: '1' },
  })
  let complaint = ''
  tar.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString()
  })
  const ended = once(tar, 'close')
  tar.stdin.end(files.map((file) => `${file}\0`).join(''))
  const sent = await sendStream(connection, tar.stdout, command)
  const [code] = await ended
  if (code !== 0) throw new KraftError({ kind: 'task', message: `The files of ${folder} could not be packed`, output: complaint })
  return sent
}

/** Streams bytes into a command on a node and waits for it to succeed. Returns how many. */
export async function sendStream(connection: Connection, source: Readable, command: string): Promise<number> {
  const channel = await connection.exec(command)
  let bytes = 0
  let said = ''
  source.on('data', (chunk: Buffer) => {
    bytes += chunk.length
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
