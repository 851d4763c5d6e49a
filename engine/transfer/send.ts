import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isKraftError, KraftError } from '../errors/failure.js'
import type { Connection } from '../ssh/connection.js'

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
  // What its source failed with says more than that the command got only a part.
  if (piped.status === 'rejected' && isKraftError(piped.reason)) throw piped.reason
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
