import { entriesOf, type LogEntry } from '../project/log-entries.js'
import { lookEnd, lookHead } from '../recipes/logs.js'

/** Reads what the script of recipes/logs.ts prints on one node, look by look. */
export class LogReader {
  #offset = 0
  #new = new Map<string, string[]>()
  /** The names of all logs of the node, once the first line was read. */
  known: readonly string[] = []

  constructor(
    readonly node: string,
    /** Is given what each look has found, log by log. */
    readonly found: (logs: readonly (readonly LogEntry[])[]) => void,
  ) {}

  /** Takes a line. */
  take(line: string): void {
    if (line.startsWith(lookHead)) {
      const [offset, ...known] = line.slice(lookHead.length).split('\t')
      this.#offset = Number(offset)
      this.known = known
    } else if (line === lookEnd) {
      const logs = [...this.#new].map(([log, lines]) => entriesOf(this.node, log, lines, this.#offset))
      this.#new = new Map()
      this.found(logs)
    } else {
      const at = line.indexOf('\t')
      const log = line.slice(0, at)
      const lines = this.#new.get(log)
      if (lines === undefined) this.#new.set(log, [line.slice(at + 1)])
      else lines.push(line.slice(at + 1))
    }
  }
}

/** What is left of entries: what came since a time, and has a text in it; of that the newest lines, entries whole. */
export function chosen(
  entries: readonly LogEntry[],
  {
    since,
    grep,
    lines = Number.POSITIVE_INFINITY,
  }: { readonly since?: Date | undefined; readonly grep?: RegExp | undefined; readonly lines?: number },
): readonly LogEntry[] {
  const wanted = entries.filter(
    (entry) =>
      (since === undefined || (entry.time ?? 0) >= since.getTime()) &&
      (grep === undefined || entry.lines.some((line) => grep.test(line))),
  )
  let left = lines
  let first = wanted.length
  while (first > 0 && left > 0) {
    first -= 1
    left -= wanted[first]?.lines.length ?? 0
  }
  return wanted.slice(first)
}

const colors = [36, 33, 35, 32, 34, 96, 93, 95, 92, 94]

/** Prints entries, each line behind what it is from where that could be in doubt. */
export class LogPrinter {
  #width = 0
  readonly #sources = new Map<string, number>()

  constructor(readonly options: { readonly nodes: boolean; readonly logs: boolean; readonly color: boolean }) {}

  /** The text of entries, with the line break at the end. */
  print(entries: readonly LogEntry[]): string {
    const sources = entries.map((entry) => this.#source(entry))
    for (const each of sources) this.#width = Math.max(this.#width, each.length)
    return entries.flatMap(({ lines }, index) => lines.map((line) => `${this.#label(sources[index] ?? '')}${line}\n`)).join('')
  }

  #source({ node, log }: LogEntry): string {
    return [...(this.options.nodes ? [node] : []), ...(this.options.logs ? [log] : [])].join(' ')
  }

  #label(source: string): string {
    if (source === '') return ''
    const text = `${source.padEnd(this.#width)} |`
    if (!this.options.color) return `${text} `
    const number = this.#sources.get(source) ?? this.#sources.size
    this.#sources.set(source, number)
    return `\x1b[${colors[number % colors.length]}m${text}\x1b[0m `
  }
}
