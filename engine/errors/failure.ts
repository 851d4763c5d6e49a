/** Where in a file a mistake stands; lines and columns count from 1. */
export interface Place {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

/**
 * Every way in which kraft can fail, as data. `kind` decides the exit code (engine/cli/exit.ts) and nothing else knows it:
 * - `usage`: the command line is wrong (2). `setting`: a file of settings or a kraftfile is wrong (2).
 * - `unreachable`: no connection to a node (3). `host-key`: a node is not the one that we knew (3).
 * - `step`: a step failed on a node (1). `command`: a command failed on a node or here (1). `code`: a kraftfile's code threw (1).
 * - `task`: the task cannot go on, for a reason that it explains (1). `interrupted`: Ctrl-C (130).
 * - `several`: of things that do not depend on each other (nodes, targets) some failed (1).
 */
export type Failure =
  | { readonly kind: 'usage'; readonly message: string; readonly next?: string }
  | { readonly kind: 'setting'; readonly message: string; readonly place: Place; readonly next?: string }
  | { readonly kind: 'unreachable'; readonly node: string; readonly message: string; readonly next?: string }
  | { readonly kind: 'host-key'; readonly node: string; readonly message: string; readonly next?: string }
  | {
      readonly kind: 'step'
      readonly node: string
      readonly step: string
      readonly code: number
      readonly output: string
      /** The line of the step's script that it ended at, and the command there. */
      readonly at?: { readonly line: number; readonly text: string }
      /** How many steps behind it did not run. */
      readonly left?: number
      readonly next?: string
    }
  | {
      readonly kind: 'command'
      readonly node: string
      readonly command: string
      readonly code: number | null
      readonly output: string
      readonly next?: string
    }
  | { readonly kind: 'code'; readonly message: string; readonly place: Place }
  | { readonly kind: 'task'; readonly message: string; readonly node?: string; readonly output?: string; readonly next?: string }
  | { readonly kind: 'interrupted'; readonly message: string }
  | {
      readonly kind: 'several'
      readonly failed: readonly Ended[]
      readonly done: readonly string[]
      /** Those that never began, because others failed. */
      readonly waiting?: readonly string[]
      readonly next?: string
    }

/** One of several things that failed: what it is called, and how it ended. */
export interface Ended {
  /** What it is called: a node, a target. */
  readonly title: string
  /** What it threw. */
  readonly error: unknown
}

const mark = Symbol.for('kraftwerk.error')

/**
 * The one error that kraft throws on purpose: a {@link Failure} as an Error. Whatever else is thrown is a bug in kraft or in
 * a kraftfile.
 *
 * @example throw new KraftError({ kind: 'usage', message: 'Name the node: kraft provision NAME' })
 */
export class KraftError extends Error {
  override readonly name = 'KraftError'
  readonly [mark] = true

  constructor(
    readonly failure: Failure,
    cause?: unknown,
  ) {
    super(summary(failure), cause === undefined ? undefined : { cause })
  }
}

/** Tells a KraftError from other errors, also one thrown by another copy of this module. */
export function isKraftError(error: unknown): error is KraftError {
  return typeof error === 'object' && error !== null && mark in error
}

/** One line that says what went wrong. */
export function summary(failure: Failure): string {
  switch (failure.kind) {
    case 'step':
      return `${failure.node}: ${failure.step}: failed with code ${failure.code}`
    case 'command':
      return `${failure.node}: ${failure.command}: ended with ${failure.code === null ? 'a signal' : `code ${failure.code}`}`
    case 'unreachable':
    case 'host-key':
      return `${failure.node}: ${failure.message}`
    case 'setting':
    case 'code':
      return `${formatPlace(failure.place)}: ${failure.message}`
    case 'task':
      return failure.node === undefined ? failure.message : `${failure.node}: ${failure.message}`
    case 'several': {
      const { failed, done, waiting = [] } = failure
      const titles = failed.map(({ title }) => title).join(', ')
      const others = [list('done', done), list('not run', waiting)].join('')
      return `${failed.length} of ${failed.length + done.length + waiting.length} failed: ${titles}${others}`
    }
    default:
      return failure.message
  }
}

// Of a whole fleet the names would bury which of them failed.
const most = 12

function list(label: string, titles: readonly string[]): string {
  return titles.length === 0 ? '' : `; ${label}: ${titles.length > most ? titles.length : titles.join(', ')}`
}

/** `file:line:column`, as editors and terminals understand it. */
export function formatPlace({ file, line, column }: Place): string {
  return [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':')
}
