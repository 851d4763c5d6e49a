import { spawnSync } from 'node:child_process'
import type { Channel, Connection, TerminalSize } from './connection.js'
import { ctrlC } from './ctrl-c.js'
import { exitCode } from './exit-code.js'
import { execGroup, type Group } from './group.js'

/**
 * Runs a command in a real terminal: raw mode, resizing, Ctrl-C as a key. Gives the terminal back in whatever way it ends,
 * and returns the command's exit code (128 + n for signals). Throws `unreachable` when the connection is lost.
 */
export async function runInteractive(connection: Connection, command: string): Promise<number> {
  const { stdin, stdout, stderr } = process
  const type = process.env.TERM || 'xterm'
  const channel = await connection.exec(command, { terminal: { type, ...size() } })
  const restore = (): void => {
    if (stdin.isTTY) stdin.setRawMode(false)
  }
  const resize = (): void => channel.resize(size())
  const hangUp = (): void => channel.close()
  if (stdin.isTTY) makeRaw()
  process.once('exit', restore)
  process.on('SIGTERM', hangUp).on('SIGHUP', hangUp)
  stdout.on('resize', resize)
  stdin.pipe(channel.stdin)
  channel.stdout.pipe(stdout, { end: false })
  channel.stderr.pipe(stderr, { end: false })
  // The window may have changed while the channel was opened.
  resize()
  try {
    return exitCode(await channel.exit)
  } finally {
    stdout.removeListener('resize', resize)
    process.removeListener('SIGTERM', hangUp).removeListener('SIGHUP', hangUp)
    process.removeListener('exit', restore)
    letGo(channel)
    restore()
  }
}

/**
 * Runs a command with our standard input, output and error passed through byte for byte. Ctrl-C and SIGTERM reach the
 * command; a second Ctrl-C ends kraft. Returns the exit code, 141 when our own output was closed (`| head`).
 */
export async function runPiped(connection: Connection, command: string): Promise<number> {
  const group = await execGroup(connection, command)
  const { channel } = group
  const { stdin, stdout, stderr } = process
  let early: number | undefined
  const end = (code: number, signal: NodeJS.Signals): void => {
    early ??= code
    void group.kill(signal).finally(() => channel.close())
  }
  const broken = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') end(141, 'SIGPIPE')
    else end(255, 'SIGTERM')
    channel.stdout.resume()
  }
  const stopListening = forwardSignals(group)
  const endInput = (): void => void channel.stdin.end()
  stdout.on('error', broken)
  stderr.on('error', broken)
  stdin.on('error', endInput)
  stdin.pipe(channel.stdin)
  channel.stdout.pipe(stdout, { end: false })
  channel.stderr.pipe(stderr, { end: false })
  try {
    const exit = await channel.exit
    return early ?? exitCode(exit)
  } finally {
    stopListening()
    stdin.removeListener('error', endInput)
    letGo(channel)
    setImmediate(() => {
      stdout.removeListener('error', broken)
      stderr.removeListener('error', broken)
    })
  }
}

// Node's raw mode still makes CR LF of each LF, which full-screen programs use to go down in the same column.
function makeRaw(): void {
  process.stdin.setRawMode(true)
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
}

function forwardSignals({ kill }: Group): () => void {
  const interrupt = ctrlC(() => void kill('SIGINT'))
  const forward = (signal: NodeJS.Signals): void => void kill(signal)
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', forward).on('SIGHUP', forward)
  return () => {
    process.removeListener('SIGINT', interrupt)
    process.removeListener('SIGTERM', forward).removeListener('SIGHUP', forward)
  }
}

// A standard input that is still open must not keep the process from ending.
function letGo(channel: Channel): void {
  process.stdin.unpipe(channel.stdin)
  process.stdin.pause()
  if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref()
}

function size(): TerminalSize {
  return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }
}
