import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { KraftError } from '../errors/failure.js'
import type { Connection } from '../ssh/connection.js'

/** Hands `input` to a command on a node and streams what it puts out into `sink`. Throws `command` where it fails. */
export async function receiveStream(
  connection: Connection,
  command: string,
  input: string,
  sink: Writable,
  count?: (bytes: number) => void,
): Promise<void> {
  const channel = await connection.exec(command)
  let said = ''
  channel.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000)
  })
  channel.stdin.end(input)
  if (count !== undefined) channel.stdout.on('data', (chunk: Buffer) => count(chunk.length))
  await pipeline(channel.stdout, sink).catch((error: unknown) => {
    // What nobody reads any more would keep its place among the channels.
    channel.close()
    throw error
  })
  const { code } = await channel.exit
  if (code === 0) return
  throw new KraftError({ kind: 'command', node: connection.node, command: 'send data', code, output: said.trim() })
}
