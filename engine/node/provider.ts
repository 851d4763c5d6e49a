import type { Section } from '../config/section.js'
import type { Applied } from '../step/show.js'
import type { Step } from '../step/step.js'
import type { NodeRecord } from './record.js'

/** A login on a node that is being made. */
export interface FirstLogin {
  /** Runs steps as one script. */
  apply(title: string, steps: readonly Step[]): Promise<Applied>
}

/** What a provider is asked to make. */
export interface CreateRequest {
  readonly name: string
  /** The user's public key in OpenSSH's one-line form; whoever holds the private one must be able to log in. */
  readonly publicKey: string
  readonly settings: ProviderSettings
  /** Shows a line of progress to a person. */
  progress(line: string): void
  readonly signal?: AbortSignal
  /**
   * Logs in where one of the record's host keys is shown, and out again once `work` is done. Left out where nobody can; a provider
   * whose nodes make host keys of their own throws then.
   */
  login?<Result>(record: NodeRecord, work: (node: FirstLogin) => Promise<Result>): Promise<Result>
}

/** A node as its provider sees it now. */
export type NodeState = 'running' | 'stopped' | 'starting' | 'missing'

/** A node that a provider has, whether kraft remembers it or not. */
export interface Listed {
  readonly name: string
  /** The provider's own name for it. */
  readonly id: string
  readonly state: NodeState
  readonly address?: string
}

/** What a node can be made from. */
export interface Image {
  /** As `image_id` names it. */
  readonly id: string
  readonly name: string
  readonly architecture?: string
}

/** How large a node can be. */
export interface Size {
  /** As `size_id` names it. */
  readonly id: string
  readonly cpus: number
  /** In GB. */
  readonly memory: number
  /** In GB; left out where it is chosen apart. */
  readonly disk?: number
  /** As the provider says it, with its currency and time. */
  readonly price?: string
  readonly architecture?: string
  /** Where it can be had; left out: everywhere. */
  readonly regions?: readonly string[]
}

/** Where a node can be. */
export interface Region {
  /** As `location_id` names it. */
  readonly id: string
  readonly name: string
}

/** A state of a node that its provider keeps. */
export interface Snapshot {
  readonly name: string
  /** When it was taken, in ISO 8601. */
  readonly time: string
  /** In bytes; left out where the provider doesn't say. */
  readonly size?: number
}

/** What a provider needs to work on a node beside its record. */
export interface NodeWork {
  readonly settings: ProviderSettings
  /** Shows a line of progress to a person. */
  progress(line: string): void
  readonly signal?: AbortSignal
}

/** What a provider can do that keeps states of its nodes. They are gone with the node. Each throws a KraftError. */
export interface Snapshots {
  /** In one line: what a running node notices of it, for the docs and the dry run. */
  readonly doc: string
  list(record: NodeRecord, settings: ProviderSettings): Promise<readonly Snapshot[]>
  /** Keeps the node as it is now, all of its files at one instant. A name that is taken is refused. */
  take(record: NodeRecord, name: string, work: NodeWork): Promise<Snapshot>
  /**
   * Puts the node back, host keys included, starts it, and returns what is to be remembered of it. One that is cut short leaves the
   * node as it was or as the snapshot is, perhaps stopped; again, it does the rest.
   */
  restore(record: NodeRecord, name: string, work: NodeWork): Promise<NodeRecord>
  forget(record: NodeRecord, name: string, work: NodeWork): Promise<void>
}

/** Something that a provider must be told before it can do anything, and was not. */
export interface Missing {
  /** The key of its section. */
  readonly key: string
  /** Variables of the provider's own tools that say it as well. */
  readonly variables: readonly string[]
  /** Only who makes a node needs it: where it is to be. */
  readonly toMake?: true
}

/** Something that this machine lacks, and what to do: one line each. */
export interface Lack {
  readonly what: string
  readonly next: string
  /** The provider sees to it by itself when it makes a node. */
  readonly byItself?: true
}

/** The settings of a provider: defaults, `~/.kraftwerk.yaml` and options of the command line, merged and validated. */
export type ProviderSettings = Readonly<Record<string, unknown>>

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
  /** To destroy one of its nodes means to forget it: the server stays, with all that is on it. */
  readonly keeps?: boolean
  /** Its nodes are on this machine, of no use to a team: they are remembered in `~/.kraftwerk`, also those of a project. */
  readonly onThisMachine?: boolean
  /**
   * Makes a node, or finds the one that an interrupted run made, and returns when its sshd answers on the address and the
   * host keys are known over the provider's own channel. Undoes what it made when it fails. Throws a KraftError.
   */
  create(request: CreateRequest): Promise<NodeRecord>
  /** How the node is now, without changing it. */
  describe(record: NodeRecord, settings: ProviderSettings): Promise<NodeState>
  /**
   * Starts a stopped node again (after a reboot of its host, say), where the provider can, and returns when its sshd answers: what is
   * to be remembered of it, as its address may be another one now.
   */
  start?(record: NodeRecord, work: NodeWork): Promise<NodeRecord>
  /** States of a node that can be kept and put back, where the provider can. */
  readonly snapshots?: Snapshots
  /** Removes the node and everything that was made for it, nothing else. One that is gone already is fine. */
  destroy(record: NodeRecord, settings: ProviderSettings, progress: (line: string) => void): Promise<void>
  /** The nodes that kraft made there, remembered or not. */
  list?(settings: ProviderSettings): Promise<readonly Listed[]>
  /** What nodes can be made from. */
  images?(settings: ProviderSettings): Promise<readonly Image[]>
  sizes?(settings: ProviderSettings): Promise<readonly Size[]>
  regions?(settings: ProviderSettings): Promise<readonly Region[]>
  /** What this machine lacks for it; changes nothing. */
  lacks?(): Promise<readonly Lack[]>
  /** What is needed and neither set nor in a variable, in the order in which a person is asked for it. */
  missing?(settings: ProviderSettings): readonly Missing[]
}

/** Gives a provider its type. */
export function defineProvider(provider: Provider): Provider {
  return provider
}
