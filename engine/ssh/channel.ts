import type { ClientChannel } from 'ssh2'
import type { KraftError } from '../errors/failure.js'
import type { Channel, Exit } from './connection.js'

/**
 * Makes a {@link Channel} of ssh2's. `loss` tells why the connection ended, if it did. The exit waits until both outputs
 * were read to their end, so whoever runs a command must read both.
 */
export function channelOf(stream: ClientChannel, loss: () => KraftError | undefined): Channel {
  const exit = new Promise<Exit>((resolve, reject) => {
    let exited: Exit | undefined
    let open = 2
    const closed = (): void => {
      if (--open > 0) return
      const error = loss()
      if (exited !== undefined) resolve(exited)
      else if (error !== undefined) reject(error)
      else resolve({ code: null, signal: null })
    }
    stream.once('exit', (code: number | null, signal?: string) => {
      exited = { code, signal: signal?.replace(/^SIG/, '') ?? null }
    })
    stream.once('close', closed)
    stream.stderr.once('close', closed)
  })
  // Whoever drops a channel does not wait for its exit, and that must not count as an unhandled rejection.
  exit.catch(ignore)
  // Writing to a command that has ended is no failure of its own: its exit tells.
  stream.on('error', ignore)
  return {
    stdin: stream,
    stdout: stream,
    stderr: stream.stderr,
    exit,
    resize: ({ columns, rows }) => stream.setWindow(rows, columns, 0, 0),
    signal: (name) => stream.signal(name.replace(/^SIG/, '')),
    close: () => {
      stream.close()
      // What nobody reads would keep the channel from ending.
      stream.resume()
      stream.stderr.resume()
    },
  }
}

function ignore(): void {
  // Said elsewhere: see where it is used.
}
