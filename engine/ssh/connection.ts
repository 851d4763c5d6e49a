import type { Duplex, Readable, Writable } from 'node:stream'

/** How a remote command ended: a code, or a signal's name without SIG. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** A command that runs on a node over one channel. */
export interface Channel {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves when the command ended and its output was handed on; rejects with `unreachable` if the connection was lost. */
  readonly exit: Promise<Exit>
  /** Tells the far pseudo-terminal its new size. */
  resize(size: TerminalSize): void
  /** Sends a signal (SIGINT…) to the remote process as far as the server allows. */
  signal(name: NodeJS.Signals): void
  /** Closes the channel. The far process gets end of input and, with a pseudo-terminal, a hang-up. */
  close(): void
}

/** Columns and rows of a terminal. */
export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** How to start a command. */
export interface ExecOptions {
  /** Ask for a pseudo-terminal of this size and type. */
  readonly terminal?: TerminalSize & { readonly type: string }
  /** Don't wait for one of the 8 channels: for short commands that end another one. */
  readonly urgent?: boolean
}

/**
 * One verified connection to one node, opened when first needed, shared by all tasks, at most 8 channels at once (more
 * wait; sshd's MaxSessions is 10).
 */
export interface Connection {
  /** The node's name, for messages. */
  readonly node: string
  /** The login that the connection has. */
  readonly user: string
  /** Runs a command line with the login's shell. Throws `unreachable` or `host-key`. */
  exec(command: string, options?: ExecOptions): Promise<Channel>
  /** Runs a command, feeds it `input`, and collects what it says. Never throws for an exit code. */
  capture(command: string, input?: string | Buffer): Promise<{ stdout: string; stderr: string; exit: Exit }>
  /** A stream to `host:port` as seen from the node (ProxyJump). */
  forward(host: string, port: number): Promise<Duplex>
  /** Whether no other process can use it as long as this one does; where that is left out, another may. */
  readonly isAlone?: boolean
  /**
   * The same over a connection that ends with this process; from then on everything goes over it. Left out where it does so
   * anyway. For a lock, whose holders must not wait for each other's channels, and for a login that must be a new one.
   */
  readonly direct?: Connection | undefined
  /** Starts a command that {@link exec} will be asked for soon and that waits for its input until then (engine/ssh/ahead.ts). */
  ahead?(command: string): void
  /** Ends the connection. */
  close(): Promise<void>
}
