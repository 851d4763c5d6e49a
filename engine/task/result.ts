import type { NodeEnd } from '../report/node-summary.js'
import { redact, redactData } from '../shell/redact.js'

const resultMark = Symbol.for('kraftwerk.result')
const codeMark = Symbol.for('kraftwerk.exit-code')

/**
 * What a task hands back: text for a person on stdout, or the same as data with `--json`. `next` is the command that most
 * people call after it, shown on a terminal. Secrets are masked in both unless it is `revealed`, because showing one is what was
 * asked for.
 */
export class Result {
  readonly [resultMark] = true

  constructor(
    readonly text: string,
    readonly data: unknown,
    readonly next?: string,
    readonly revealed = false,
    /** What kraft ends with, where the result itself is the answer: `diff --exit-code`. */
    readonly code = 0,
  ) {}
}

/**
 * What a task of a kraftfile hands back: text for stdout, and data for `--json`. Data that is left out is the text.
 *
 * @example export const pages = task({ run: () => result('12 pages', { pages: 12 }) }) // kraft pages --json: { "pages": 12 }
 */
export function result(text: string, data: unknown = text, next?: string): Result {
  return next === undefined ? new Result(text, data) : new Result(text, data, next)
}

/** The exit code of a command that `run` and `shell` pass on; with `--json` also what it printed, as data that nothing masks. */
export class ExitCode {
  readonly [codeMark] = true

  constructor(
    readonly code: number,
    readonly data?: unknown,
  ) {}
}

/** Tells a Result, also one that another copy of kraftwerk made. */
export function isResult(value: unknown): value is Result {
  return typeof value === 'object' && value !== null && resultMark in value
}

/** Tells an ExitCode, also one that another copy of kraftwerk made. */
export function isExitCode(value: unknown): value is ExitCode {
  return typeof value === 'object' && value !== null && codeMark in value
}

/** What each member of a series handed back, under its name; undefined where none handed anything back. */
export function resultOfMembers(members: readonly { readonly name: string; readonly value: unknown }[]): Result | undefined {
  const told = unique(members).flatMap(({ name, value }) => (isResult(value) ? [{ name, value }] : []))
  if (told.length === 0) return undefined
  const spoken = told.filter(({ value }) => value.text !== '')
  const revealed = told.some(({ value }) => value.revealed)
  // What one of them reveals is shown, and nothing of the others.
  const textOf = (value: Result) => (revealed && !value.revealed ? redact(value.text) : value.text)
  const dataOf = (value: Result) => (revealed && !value.revealed ? redactData(value.data) : value.data) ?? null
  const text = spoken
    .map(({ name, value }) => (spoken.length === 1 ? textOf(value) : `${name}:\n${indented(textOf(value))}`))
    .join('\n')
  const data = Object.fromEntries(told.map(({ name, value }) => [name, dataOf(value)]))
  return new Result(text, data, told.at(-1)?.value.next, revealed)
}

/** What a task handed back on each of several nodes, with how it ended there. */
export function resultOfNodes(ends: readonly NodeEnd[], values: ReadonlyMap<string, unknown>): Result {
  const lines = ends.flatMap(({ node }) => {
    const value = values.get(node)
    if (!isResult(value) || value.text === '') return []
    return value.text.includes('\n') ? `${node}:\n${indented(value.text)}` : `${node}: ${value.text}`
  })
  const data = ends.map((end) => {
    const value = values.get(end.node)
    return { ...end, data: isResult(value) ? (value.data ?? null) : null }
  })
  return new Result(lines.join('\n'), data)
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}

// A task can be in a series twice.
function unique<T extends { readonly name: string }>(members: readonly T[]): readonly T[] {
  const seen = new Map<string, number>()
  return members.map((member) => {
    const count = (seen.get(member.name) ?? 0) + 1
    seen.set(member.name, count)
    return count === 1 ? member : { ...member, name: `${member.name} ${count}` }
  })
}
