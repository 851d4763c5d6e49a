import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { isKraftError, KraftError } from '../errors/failure.js'
import type { Connection } from '../ssh/connection.js'
import { receiveStream } from './receive.js'

/**
 * Has a command on a node pack a tree, as a gzipped tar archive, and unpacks that into a folder here. `count` hears of the bytes.
 *
 * @throws KraftError `command` where the node could not pack it, `task` where it could not be unpacked here.
 */
export async function fetchTree(
  connection: Connection,
  command: string,
  folder: string,
  count?: (bytes: number) => void,
): Promise<void> {
  const tar = spawn('tar', ['-xz', '--no-same-owner', '-C', folder, '-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'] })
  let complaint = ''
  tar.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4000)
  })
  const closed = once(tar, 'close').catch((error: unknown) => [String(error)])
  const unpacked = closed.then(([code]) => {
    if (code === 0) return
    throw new KraftError({
      kind: 'task',
      message: `What came could not be unpacked in ${folder}`,
      output: complaint.trim() || String(code),
    })
  })
  const [received, ended] = await Promise.allSettled([receiveStream(connection, command, '', tar.stdin, count), unpacked])
  // A tar that ends early breaks the pipe, and knows why; a node that sends nothing is why tar has nothing to unpack.
  if (received.status === 'rejected' && isKraftError(received.reason)) throw received.reason
  if (ended.status === 'rejected') throw ended.reason
  if (received.status === 'rejected') throw received.reason
}
