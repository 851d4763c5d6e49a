import type { ProjectTree } from './tree.js'

/** Settings of kraftwerk.yaml that can be read off a project. */
export interface Detected {
  readonly wsgi?: string
  readonly src?: string
  readonly python?: string
  readonly static_url?: string
  readonly workers?: number
  readonly threads?: number
  readonly timeout?: number
  readonly drain?: number
  readonly release?: string
  readonly packages?: readonly string[]
  readonly services?: readonly string[]
  readonly shared?: readonly string[]
  readonly processes?: Readonly<Record<string, string>>
  readonly environ?: Readonly<Record<string, string>>
}

/** One thing that a detector has seen, with its place. */
export interface Finding {
  /** What it is, for a person: `the WSGI application`. */
  readonly what: string
  /** Relative to the project. */
  readonly file: string
  readonly line?: number
  /** What it says for kraftwerk.yaml. */
  readonly sets?: Detected
  /** What a person should look at, because kraft can't know it or can't do it. */
  readonly todo?: string
}

/**
 * Looks at one kind of thing in a project's files. It reads and never runs or imports them, and needs no network.
 *
 * @example const detector: Detector = (tree) => (tree.read('Procfile') === undefined ? [] : [{ what: 'processes', file: 'Procfile' }])
 */
export type Detector = (tree: ProjectTree) => readonly Finding[]

const lists = ['packages', 'services', 'shared'] as const
const maps = ['processes', 'environ'] as const

/** All findings as one: of a single value the first one counts, lists and maps are joined. */
export function merged(findings: readonly Finding[]): Detected {
  const all = findings.flatMap(({ sets }) => (sets === undefined ? [] : [sets]))
  const single: Detected = Object.assign({}, ...all.toReversed())
  const joined = lists.map((key) => [key, [...new Set(all.flatMap((one) => one[key] ?? []))]])
  const together = maps.map((key) => [key, Object.assign({}, ...all.map((one) => one[key]))])
  return { ...single, ...Object.fromEntries([...joined, ...together]) }
}

/**
 * Where something was found, as editors open it.
 *
 * @example placeOf({ what: 'media', file: 'shop/settings.py', line: 12 }) // 'shop/settings.py:12'
 */
export function placeOf({ file, line }: Finding): string {
  return line === undefined ? file : `${file}:${line}`
}
