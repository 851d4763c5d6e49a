import type { Server } from 'node:net'
import { KraftError } from '../errors/failure.js'

/** Refuses what is no port. Throws `usage`. */
export function requirePort(port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return
  throw new KraftError({ kind: 'usage', message: `--port is a number up to 65535, not ${port}` })
}

/**
 * Lets a server listen on this machine's loopback, where nobody reaches it from outside; 0 is a port that is free. Returns the port.
 *
 * @throws KraftError `usage` where it is taken.
 */
export async function listenLocally(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      const message = taken ? `Port ${port} of this machine is taken` : `Port ${port} of this machine: ${error.message}`
      const next = 'Take another with --port, or leave it out: kraft finds one that is free'
      reject(new KraftError({ kind: 'usage', message, next }, error))
    })
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}
