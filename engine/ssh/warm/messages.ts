import type { Failure } from '../../errors/failure.js'
import type { SshOptions } from '../config.js'
import type { TerminalSize } from '../connection.js'
import type { Credentials } from '../credentials.js'
import type { Destination } from '../destination.js'

/** Changes whenever the messages do, so that ends of different age never meet. */
export const protocol = 3

/** A host key that a holder's connection was verified with. */
export interface Seen {
  readonly destination: Destination
  readonly options: SshOptions
  /** Base64. */
  readonly blob: string
}

/** What a client says first: it proves who it is, and says what to connect to if that is still to be done. */
export interface Greeting {
  readonly type: 'greet'
  /** A file in the holder's folder that only its owner can have made. */
  readonly proof: string
  /** Seconds that the connection is kept after its last use. */
  readonly keep: number
  readonly destination: Destination
  readonly options: SshOptions
  readonly configFile: string | undefined
  /** Where the client runs, and so its ProxyCommand. */
  readonly folder: string
  /** Nobody else is to use the connection meanwhile. */
  readonly alone: boolean
}

/** The public half of an identity; what it signs is asked for by its number. */
export interface Offered {
  readonly label: string
  readonly blob: string
}

/** What a holder asks of the client for whom it connects, and what is answered. */
export interface Questions {
  readonly algorithms: {
    readonly ask: Pick<Seen, 'destination' | 'options'>
    readonly reply: Awaited<ReturnType<Credentials['algorithms']>>
  }
  readonly verify: { readonly ask: Seen; readonly reply: Failure | null }
  readonly identities: {
    readonly ask: { readonly options: SshOptions }
    readonly reply: { readonly usable: readonly Offered[]; readonly first: number; readonly skipped: readonly string[] }
  }
  readonly sign: {
    readonly ask: { readonly number: number; readonly data: string; readonly hash: string | undefined }
    readonly reply: string
  }
}

/** A question by its name. */
export type About = keyof Questions

/** From a client to its holder. */
export type FromClient =
  | Greeting
  | { readonly type: 'who'; readonly proof: string }
  | { readonly type: 'stop' }
  | { readonly type: 'ping' }
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: string }
  | {
      readonly type: 'exec'
      readonly id: number
      readonly command: string
      readonly terminal?: TerminalSize & { readonly type: string }
      readonly urgent: boolean
    }
  | { readonly type: 'forward'; readonly id: number; readonly host: string; readonly port: number }
  | { readonly type: 'resize'; readonly id: number; readonly size: TerminalSize }
  | { readonly type: 'signal'; readonly id: number; readonly name: NodeJS.Signals }
  | { readonly type: 'close'; readonly id: number }

/** From a holder to its client. */
export type FromHolder =
  | { readonly type: 'welcome' }
  | { readonly type: 'self'; readonly self: Self }
  /** Somebody else uses the connection, and one of both must be alone. */
  | { readonly type: 'busy' }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'question'; readonly id: number; readonly about: About; readonly ask: unknown }
  | { readonly type: 'ready'; readonly seen: readonly Seen[] }
  | { readonly type: 'refused'; readonly failure: Failure; readonly isEarly: boolean }
  | { readonly type: 'pong' }
  | { readonly type: 'started'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'exit'; readonly id: number; readonly code: number | null; readonly signal: string | null }
  | { readonly type: 'lost'; readonly id: number; readonly failure: Failure }

/** Whose connection a holder keeps. */
export interface Self {
  readonly node: string
  readonly user: string
  readonly address: string
  readonly port: number
  readonly pid: number
}

/** The numbers of the three streams of a channel. */
export function streamsOf(id: number): { readonly stdin: number; readonly stdout: number; readonly stderr: number } {
  return { stdin: id * 3, stdout: id * 3 + 1, stderr: id * 3 + 2 }
}
