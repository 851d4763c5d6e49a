import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP connection that a test can disturb: a proxy on loopback before a port of loopback. */
export interface Cable {
  readonly port: number
  /** Nothing passes any more, in no direction, and nobody is told: a cable that was pulled out. */
  freeze(): void
  /** Ends every connection. */
  cut(): void
  /** Calls `seen` with the bytes that come from the client before they are passed on; `false` keeps them. */
  watch(seen: (bytes: Buffer) => boolean): void
  /** How often a client has come. */
  readonly connections: number
  stop(): Promise<void>
}

/** Lays a cable to a port of loopback. */
export async function startCable(port: number): Promise<Cable> {
  const sockets = new Set<Socket>()
  let isFrozen = false
  let connections = 0
  let seen: (bytes: Buffer) => boolean = () => true
  const server = createServer({ noDelay: true }, (near) => {
    connections++
    const far = connect({ port, host: '127.0.0.1', noDelay: true })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    }
    near.on('data', (bytes: Buffer) => {
      if (!isFrozen && seen(bytes)) far.write(bytes)
    })
    far.on('data', (bytes: Buffer) => {
      if (!isFrozen) near.write(bytes)
    })
    near.on('close', () => isFrozen || far.destroy())
    far.on('close', () => isFrozen || near.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: address.port,
    freeze: () => {
      isFrozen = true
    },
    cut,
    watch: (next) => {
      seen = next
    },
    get connections() {
      return connections
    },
    async stop() {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}
