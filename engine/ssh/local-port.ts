import { createServer, type Socket } from 'node:net'
import type { Connection } from './connection.js'
import { exitCode } from './exit-code.js'
import { listenLocally } from './listen.js'

// As many channels as a connection has.
const most = 8

/** What {@link openPort} is given. */
export interface LocalPort {
  readonly connection: Connection
  /** A command line on the node, started for each client: what the client sends is its input, what it prints goes back. */
  readonly command: string
  /** 0: one that is free. */
  readonly port: number
  /** Is told what a client can't be told. */
  readonly note: (text: string) => void
}

/** A port of this machine's loopback whose clients each talk to a command on a node. */
export interface OpenPort {
  readonly port: number
  /** Rejects with `unreachable` when the connection is lost. */
  readonly lost: Promise<never>
  /** Ends it and all its clients. */
  close(): void
}

/**
 * Opens a port of this machine's loopback. A client that has said all and waits for the rest is served to the end.
 *
 * @throws KraftError `usage` where the port is taken.
 */
export async function openPort({ connection, command, port, note }: LocalPort): Promise<OpenPort> {
  const clients = new Set<Socket>()
  let fail: (error: unknown) => void = () => undefined
  const lost = new Promise<never>((_, reject) => {
    fail = reject
  })
  lost.catch(() => undefined)
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    clients.add(client)
    if (clients.size > most) note(`${most} connections are open; another one waits until one of them ends`)
    client.once('close', () => clients.delete(client))
    serve(client, connection, command, note).catch(fail)
  })
  const opened = await listenLocally(server, port)
  return {
    port: opened,
    lost,
    close: () => {
      server.close()
      for (const client of clients) client.destroy()
    },
  }
}

async function serve(client: Socket, connection: Connection, command: string, note: (text: string) => void): Promise<void> {
  // What goes wrong with it shows in its end.
  client.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
  try {
    const channel = await connection.exec(command)
    void closed.then(() => channel.close())
    if (client.destroyed) channel.close()
    let said = ''
    channel.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-2000)
    })
    client.pipe(channel.stdin)
    channel.stdout.pipe(client)
    const code = exitCode(await channel.exit)
    if (code !== 0 && !client.destroyed) note(said.trim() || `The connection ended with code ${code}`)
  } finally {
    client.destroySoon()
  }
}
