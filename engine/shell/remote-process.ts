import { EventEmitter } from 'node:events'
import { constants } from 'node:os'
import { PassThrough, type Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Connection } from '../ssh/connection.js'
import { exitCode } from '../ssh/exit-code.js'
import { execGroup, type Group } from '../ssh/group.js'

/** What a channel of standard input, output or error is tied to, as in child_process. */
export type Tie = 'pipe' | 'ignore' | 'inherit'

const running = new Map<number, RemoteProcess>()
// No Linux gives numbers as high as this to its processes, so that a signal can never hit one of this machine.
let lastPid = 2 ** 22

/** The remote process that has this number here. */
export function remoteProcess(pid: number): RemoteProcess | undefined {
  return running.get(pid)
}

/** A command on a node with the face of a ChildProcess, as far as zx looks at it. */
export class RemoteProcess extends EventEmitter {
  readonly pid = ++lastPid
  readonly stdin: PassThrough | null
  readonly stdout: PassThrough | null
  readonly stderr: PassThrough | null
  exitCode: number | null = null
  signalCode: NodeJS.Signals | null = null
  killed = false
  readonly #group: Promise<Group>

  /** `preamble` goes to the command's input before anything else. */
  constructor(
    connection: Connection,
    command: string,
    [stdin, stdout, stderr]: readonly [Tie, Tie, Tie],
    readonly preamble = '',
  ) {
    super()
    this.stdin = stdin === 'pipe' ? new PassThrough() : null
    this.stdout = stdout === 'pipe' ? new PassThrough() : null
    this.stderr = stderr === 'pipe' ? new PassThrough() : null
    running.set(this.pid, this)
    this.#group = execGroup(connection, command)
    void this.#run(stdin, stdout, stderr)
  }

  /** Signals the command on the node, at once or as soon as it has started. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): boolean {
    if (!running.has(this.pid)) return false
    this.killed = true
    // A failure to start is told by the 'error' event.
    this.#group.then((group) => group.kill(signal)).catch(() => undefined)
    return true
  }

  async #run(stdin: Tie, stdout: Tie, stderr: Tie): Promise<void> {
    try {
      const group = await this.#group
      const { channel } = group
      this.emit('spawn')
      if (this.preamble !== '') channel.stdin.write(this.preamble)
      if (this.stdin !== null) this.stdin.pipe(channel.stdin)
      else if (stdin === 'inherit') process.stdin.pipe(channel.stdin)
      else channel.stdin.end()
      tie(channel.stdout, this.stdout, stdout === 'inherit' ? process.stdout : undefined)
      // Whoever leaves a loop over its lines reads no more: a program of this machine would end by that as well.
      this.stdout?.once('close', () => {
        if (channel.stdout.readableEnded) return
        channel.stdout.resume()
        void group.kill('SIGPIPE')
      })
      tie(channel.stderr, this.stderr, stderr === 'inherit' ? process.stderr : undefined)
      // A standard input that still flows would keep this process from ending.
      const letGo = () => void (stdin === 'inherit' && process.stdin.unpipe(channel.stdin).pause())
      const exit = await channel.exit.finally(letGo)
      this.signalCode = signalName(exit.signal)
      this.exitCode = this.signalCode === null ? exitCode(exit) : null
    } catch (error) {
      this.exitCode = 255
      this.stdout?.end()
      this.stderr?.end()
      this.emit('error', error)
    }
    running.delete(this.pid)
    this.emit('exit', this.exitCode, this.signalCode)
    await Promise.all([drained(this.stdout), drained(this.stderr)])
    this.stdin?.destroy()
    this.emit('close', this.exitCode, this.signalCode)
  }
}

function tie(from: Readable, pipe: PassThrough | null, inherited: NodeJS.WriteStream | undefined): void {
  if (pipe !== null) from.pipe(pipe)
  else if (inherited !== undefined) from.pipe(inherited, { end: false })
  else from.resume()
}

// Whoever destroyed the stream has read all that it wanted.
async function drained(stream: PassThrough | null): Promise<void> {
  if (stream !== null && !stream.destroyed) await finished(stream, { writable: false }).catch(() => undefined)
}

function signalName(signal: string | null): NodeJS.Signals | null {
  const name = `SIG${signal}`
  return isSignal(name) ? name : null
}

function isSignal(name: string): name is NodeJS.Signals {
  return name in constants.signals
}
