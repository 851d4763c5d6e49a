import { createInterface } from 'node:readline'
import { KraftError } from '../errors/failure.js'
import type { Connection } from './connection.js'
import { exitCode } from './exit-code.js'

/** A command on a node whose lines are read as they come. */
export interface Streamed {
  /** Ends when the command does; rejects with `unreachable` when the connection is lost, with `command` for a code other than 0. */
  readonly ended: Promise<void>
  /** Ends its input, and with that the command. */
  close(): void
}

/** Starts a command and hands on each line that it prints. Its input stays open until it is closed. */
export async function streamLines(connection: Connection, command: string, line: (text: string) => void): Promise<Streamed> {
  const channel = await connection.exec(command)
  let closed = false
  let said = ''
  channel.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-2000)
  })
  const lines = createInterface({ input: channel.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on('line', line)
  const read = new Promise<void>((resolve) => lines.once('close', () => resolve()))
  const end = async () => {
    const code = exitCode(await channel.exit)
    await read
    if (code === 0 || closed) return
    throw new KraftError({
      kind: 'command',
      node: connection.node,
      command: command.split('\n')[0] ?? '',
      code,
      output: said.trim(),
    })
  }
  const ended = end()
  ended.catch(() => undefined)
  return {
    ended,
    close: () => {
      closed = true
      channel.close()
    },
  }
}
