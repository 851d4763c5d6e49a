import { setTimeout as sleep } from 'node:timers/promises'
import type { Node } from '../../engine/node/node.js'
import { redact } from '../../engine/shell/redact.js'
import { type Streamed, streamLines } from '../../engine/ssh/stream-lines.js'
import type { Instance } from '../../project/instance.js'
import { byTime, type LogEntry } from '../../project/log-entries.js'
import { findingOf } from '../../recipes/doctor/finding.js'
import { balancersAmong, releaseNodes } from '../../recipes/followers.js'
import { readLogs } from '../../recipes/logs.js'
import { LogReader } from '../log-lines.js'

/** Hears what comes. */
export interface LogListener {
  /** Entries in the order of their times. */
  lines(entries: readonly LogEntry[]): void
  /** The names of all logs, whenever there is another. */
  names(names: readonly string[]): void
}

/** Of each log so many entries are read at first, and kept for whoever comes later. */
const most = 300
/** Seconds until a connection that was lost is tried again. */
const pause = 5

/**
 * The logs of an environment as they come, for as many listeners as there are over one channel a node. They are read as long as
 * somebody listens.
 */
export class LogFeed {
  readonly #listeners = new Set<LogListener>()
  readonly #kept = new Map<string, readonly LogEntry[]>()
  readonly #nodes: readonly Node[]
  #names: readonly string[] = []
  #reading: AbortController | undefined

  constructor(
    readonly instance: Instance,
    nodes: readonly Node[],
    readonly signal: AbortSignal,
  ) {
    this.#nodes = [...new Set([...releaseNodes(instance, nodes), ...balancersAmong(nodes)])]
  }

  /** Tells a listener what is known, and then what comes. Returns what ends that. */
  listen(listener: LogListener): () => void {
    this.#listeners.add(listener)
    listener.names(this.#names)
    listener.lines(byTime([...this.#kept.values()]))
    if (this.#reading === undefined) this.#begin()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#end()
    }
  }

  #begin(): void {
    const reading = new AbortController()
    this.#reading = reading
    const signal = AbortSignal.any([reading.signal, this.signal])
    for (const node of this.#nodes) void this.#follow(node, signal)
  }

  // Whoever comes next reads them anew: what came meanwhile is not known.
  #end(): void {
    this.#reading?.abort()
    this.#reading = undefined
    this.#kept.clear()
  }

  async #follow(node: Node, signal: AbortSignal): Promise<void> {
    let said = ''
    for (let lines = most; !signal.aborted; lines = 0) {
      const reader: LogReader = new LogReader(node.name, (found) => this.#take(reader, found, signal))
      const script = readLogs(this.instance, { names: [], lines, follow: true })
      let stream: Streamed | undefined
      const close = () => stream?.close()
      signal.addEventListener('abort', close, { once: true })
      try {
        stream = await streamLines(node.connection, node.asRoot(script.text), (line) => reader.take(line))
        if (signal.aborted) close()
        await stream.ended
        said = ''
      } catch (error) {
        if (signal.aborted) return
        const { what } = findingOf(error)
        // Once is enough for a node that stays away.
        if (what !== said) this.#tell([{ node: node.name, log: 'kraft', time: Date.now(), lines: [what] }])
        said = what
      } finally {
        signal.removeEventListener('abort', close)
      }
      await sleep(pause * 1000, undefined, { signal }).catch(() => undefined)
    }
  }

  #take(reader: LogReader, found: readonly (readonly LogEntry[])[], signal: AbortSignal): void {
    if (signal.aborted) return
    const names = [...new Set([...this.#names, ...reader.known])].sort()
    if (names.length !== this.#names.length) {
      this.#names = names
      for (const listener of this.#listeners) listener.names(names)
    }
    const masked = found.map((entries) => entries.map((entry) => ({ ...entry, lines: entry.lines.map(redact) })))
    for (const entries of masked) {
      const key = `${reader.node} ${entries[0]?.log}`
      this.#kept.set(key, [...(this.#kept.get(key) ?? []), ...entries].slice(-most))
    }
    this.#tell(byTime(masked))
  }

  #tell(entries: readonly LogEntry[]): void {
    if (entries.length > 0) for (const listener of this.#listeners) listener.lines(entries)
  }
}
