import { EventEmitter, once } from 'node:events'
import type { Session } from '../../engine/task/session.js'
import type { Attention } from '../../recipes/status/part.js'
import { type EnvironmentView, EnvironmentWatch } from './environment-watch.js'
import { LogFeed } from './log-feed.js'
import { type NodeView, NodeWatch } from './node-watch.js'
import { repeat } from './repeat.js'
import type { Watched } from './watched.js'

/** Seconds between two looks at the same. */
export interface Paces {
  /** At disk, memory and load of a node. */
  readonly sample: number
  /** At the rest of a node. */
  readonly node: number
  /** At an environment on a node, while somebody has a page open. */
  readonly environment: number
  /** At the backups in S3, likewise. */
  readonly backups: number
}

const usual: Paces = { sample: 10, node: 300, environment: 10, backups: 300 }

/** All that a page shows. */
export interface Views {
  readonly nodes: readonly NodeView[]
  readonly environments: readonly EnvironmentView[]
  /** What could not even be looked at. */
  readonly problems: readonly Attention[]
}

/**
 * Keeps looking at nodes and environments. Each node has its own pace, so that one that is silent holds up nobody. What costs a node
 * something is asked only while somebody looks.
 */
export class Watch implements Views {
  readonly nodes: readonly NodeWatch[]
  readonly environments: readonly EnvironmentWatch[]
  readonly problems: readonly Attention[]
  readonly #listeners = new Set<() => void>()
  readonly #feeds = new Map<string, LogFeed>()
  readonly #events = new EventEmitter().setMaxListeners(0)

  constructor(
    watched: Watched,
    readonly session: Session,
    readonly signal: AbortSignal,
    readonly paces = usual,
  ) {
    this.nodes = watched.nodes.map((node) => new NodeWatch(node, session))
    this.environments = watched.targets.map((target) => new EnvironmentWatch(target))
    this.problems = watched.problems
  }

  /** Begins to look, until the signal. */
  begin(): void {
    const { signal, paces } = this
    const until = () => this.#somebodyLooks()
    for (const node of this.nodes) {
      void repeat(() => this.#told(node.sample()), { every: paces.sample, signal })
      void repeat(() => this.#told(node.look()), { every: paces.node, signal, until })
    }
    for (const environment of this.environments) {
      for (const instance of environment.nodes) {
        void repeat(() => this.#told(environment.look(instance)), { every: paces.environment, signal, until })
      }
      void repeat(() => this.#told(environment.lookForBackups()), { every: paces.backups, signal, until })
    }
  }

  /** Calls a listener whenever something is known anew. Returns what ends that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    this.#events.emit('listener')
    return () => void this.#listeners.delete(listener)
  }

  /** The logs of an environment, read as long as somebody listens; undefined where there is no such environment. */
  logs(word: string): LogFeed | undefined {
    const environment = this.environments.find((each) => each.word === word)
    if (environment === undefined) return undefined
    const feed = this.#feeds.get(word) ?? new LogFeed(environment.place, environment.target.nodes, this.signal)
    this.#feeds.set(word, feed)
    return feed
  }

  async #somebodyLooks(): Promise<void> {
    if (this.#listeners.size === 0) await once(this.#events, 'listener', { signal: this.signal }).catch(() => undefined)
  }

  async #told(looked: Promise<void>): Promise<void> {
    await looked
    for (const listener of this.#listeners) listener()
  }
}
