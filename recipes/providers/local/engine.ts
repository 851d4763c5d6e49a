import type { NodeState, NodeWork, Provider, Snapshots } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import type { Suite } from './image.js'

/** What can run nodes on this machine, in the order in which `auto` tries them. */
export const engineNames = ['nspawn', 'podman', 'docker'] as const
export type EngineName = (typeof engineNames)[number]

/** A node that an engine is asked for. */
export interface Wish {
  readonly name: string
  readonly image: Suite
  /** The login: root, or a user with sudo that is made. */
  readonly user: string
  /** One line of OpenSSH's. */
  readonly publicKey: string
  progress(line: string): void
  readonly signal?: AbortSignal | undefined
}

/** What runs nodes of the local provider: the provider's contract without its settings. Each throws a KraftError. */
export interface Engine extends Pick<Provider, 'describe' | 'destroy'> {
  readonly name: EngineName
  /** Why it can't run nodes here, found out without changing anything; undefined: it can. */
  unable(): Promise<string | undefined>
  create(wish: Wish): Promise<NodeRecord>
  start(record: NodeRecord, work: NodeWork): Promise<NodeRecord>
  list: NonNullable<Provider['list']>
  readonly snapshots: Snapshots
}

/** The states of a node that an engine can see. */
export type { NodeState }
