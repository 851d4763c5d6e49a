import type { Section } from '../config/section.js'
import type { NodeRecord } from './record.js'

/** What a provider is asked to make. */
export interface CreateRequest {
  readonly name: string
  /** The user's public key in OpenSSH's one-line form; whoever holds the private one must be able to log in. */
  readonly publicKey: string
  /** The settings of this provider: defaults, `~/.kraftwerk.yaml` and options of the command line, merged and validated. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Shows a line of progress to a person. */
  progress(line: string): void
  readonly signal?: AbortSignal
}

/** A node as its provider sees it now. */
export type NodeState = 'running' | 'stopped' | 'starting' | 'missing'

/** Marks one that a kraftfile exports; registered, so that another copy of kraftwerk makes what this one takes. */
export const providerMark = Symbol.for('kraftwerk.provider')

/**
 * What makes nodes. One file in recipes/providers/ exports `provider`, named like the file.
 *
 * @example export const provider = defineProvider({ name: 'static', doc: 'Any server that answers ssh', … })
 */
export interface Provider {
  readonly name: string
  /** One line for `kraft help provision` and the docs. */
  readonly doc: string
  /** Its section of ~/.kraftwerk.yaml. */
  readonly section: Section
  /**
   * Makes a node, or finds the one that an interrupted run made, and returns when its sshd answers on the address and the
   * host keys are known over the provider's own channel. Undoes what it made when it fails. Throws a KraftError.
   */
  create(request: CreateRequest): Promise<NodeRecord>
  /** How the node is now, without changing it. */
  describe(record: NodeRecord, settings: Readonly<Record<string, unknown>>): Promise<NodeState>
  /** Starts a stopped node again (after a reboot of its host, say), where the provider can. */
  start?(record: NodeRecord, settings: Readonly<Record<string, unknown>>): Promise<void>
  /** Removes the node and everything that was made for it, nothing else. One that is gone already is fine. */
  destroy(record: NodeRecord, settings: Readonly<Record<string, unknown>>, progress: (line: string) => void): Promise<void>
}

/** Gives a provider its type. */
export function defineProvider(provider: Provider): Provider {
  return provider
}
