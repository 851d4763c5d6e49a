import type { TargetWord } from '../app.js'

/** An option or argument as completion knows it. */
export interface CompletedOption {
  readonly name: string
  readonly help: string
  readonly takesValue: boolean
  readonly many: boolean
  readonly choices: readonly string[]
  /** Its value is a word as behind the colon. */
  readonly targets: boolean
  /** Its value is a file of this machine. */
  readonly files: boolean
  /** The verbs that it goes with; all if left out. */
  readonly verbs?: readonly string[]
}

/** A task as completion knows it. */
export interface CompletedTask {
  readonly name: string
  readonly help: string
  readonly needs: 'nothing' | 'nodes' | 'instance'
  readonly takesRest: boolean
  readonly options: readonly CompletedOption[]
  readonly arguments: readonly CompletedOption[]
}

/** All that completion knows. */
export interface Completed {
  readonly tasks: readonly CompletedTask[]
  readonly globals: readonly CompletedOption[]
}

/** What could be typed. */
export interface Candidate {
  /** The whole word. */
  readonly word: string
  readonly help: string
}

/** Candidates, and whether names of files belong to them. */
export interface Candidates {
  readonly words: readonly Candidate[]
  readonly files: boolean
}

const nothing: Candidates = { words: [], files: false }

/**
 * What the last of these words can become. `targets` is asked only where a target is meant, because finding them costs more.
 *
 * @example await candidates(['deploy:st'], known, targets) // { words: [{ word: 'deploy:stage', help: 'on one' }], files: false }
 */
export async function candidates(
  words: readonly string[],
  known: Completed,
  targets: () => Promise<readonly TargetWord[]>,
): Promise<Candidates> {
  const before = words.slice(0, -1)
  const last = words.at(-1) ?? ''
  const [first, ...typed] = before
  if (first === undefined) return firstWord(last, known, targets)
  if (first === 'help') return before.length === 1 ? starting(last, known.tasks.map(named)) : nothing
  const [name, source] = first.split(':')
  const task = known.tasks.find((each) => each.name === name)
  if (task === undefined || typed.includes('--')) return nothing
  // What stands behind the colon is not meant once more.
  const others = async () => (await targets()).filter(({ word }) => word !== source)
  return later(task, typed, last, known, others)
}

async function firstWord(last: string, { tasks }: Completed, targets: () => Promise<readonly TargetWord[]>): Promise<Candidates> {
  const [name = '', given] = last.split(':')
  if (given !== undefined) {
    const task = tasks.find((each) => each.name === name)
    return task === undefined ? nothing : { words: withTargets(task, given, await targets()), files: false }
  }
  const all = [...tasks.map(named), ...(last.startsWith('-') ? flags : []), { word: 'help', help: 'what a task does' }]
  const found = starting(last, all)
  const [only, ...more] = found.words
  const task = tasks.find((each) => each.name === only?.word)
  // A task that is settled goes on with its targets, so that one more key shows them.
  if (task === undefined || more.length > 0) return found
  return { words: [...found.words, ...withTargets(task, '', await targets())], files: false }
}

const flags: readonly Candidate[] = [
  { word: '--list', help: 'the tasks' },
  { word: '--version', help: "kraft's version" },
  { word: '--help', help: 'the tasks' },
]

/** `deploy:a,s`: every word that may follow the comma, with all that stands before it. */
function withTargets({ name, needs }: CompletedTask, given: string, targets: readonly TargetWord[]): readonly Candidate[] {
  if (needs === 'nothing') return []
  const done = given.split(',').slice(0, -1)
  const start = given.split(',').at(-1) ?? ''
  const every: TargetWord[] = done.length > 0 || targets.length < 2 ? [] : [{ word: 'all', help: 'every one', kind: 'node' }]
  return [...targets, ...every]
    .filter(({ word }) => word.startsWith(start) && !done.includes(word))
    .map(({ word, help }) => ({ word: `${name}:${[...done, word].join(',')}`, help }))
}

async function later(
  task: CompletedTask,
  typed: readonly string[],
  last: string,
  { globals }: Completed,
  targets: () => Promise<readonly TargetWord[]>,
): Promise<Candidates> {
  const verb = typed.find((word) => task.arguments[0]?.choices.includes(word))
  const meant = ({ verbs }: CompletedOption) => verb === undefined || verbs === undefined || verbs.includes(verb)
  const options = [...task.options.filter(meant), ...globals]
  const optionOf = (word: string | undefined) => options.find(({ name }) => word === `--${name}`)
  const before = optionOf(typed.at(-1))
  if (before?.takesValue === true) return values(before, last, '', targets)
  const [, flag, value] = /^(--[^=]+)=(.*)$/.exec(last) ?? []
  const assigned = optionOf(flag)
  if (assigned !== undefined && value !== undefined) return values(assigned, value, `${flag}=`, targets)
  if (last.startsWith('-')) {
    const fresh = options.filter(({ name, many }) => many || !typed.includes(`--${name}`))
    const rest = task.takesRest ? [{ word: '--', help: 'the command follows' }] : []
    return starting(last, [...fresh.map(({ name, help }) => ({ word: `--${name}`, help })), ...rest])
  }
  const position = typed.filter((word, index) => !word.startsWith('-') && optionOf(typed[index - 1])?.takesValue !== true).length
  const argument = task.arguments[position] ?? (task.arguments.at(-1)?.many === true ? task.arguments.at(-1) : undefined)
  return argument === undefined ? nothing : values(argument, last, '', targets)
}

async function values(
  { choices, files, help, targets: isTarget }: CompletedOption,
  last: string,
  prefix: string,
  targets: () => Promise<readonly TargetWord[]>,
): Promise<Candidates> {
  const known = isTarget ? await targets() : choices.map((word) => ({ word, help }))
  const words = known
    .filter(({ word }) => word.startsWith(last))
    .map((each) => ({ word: `${prefix}${each.word}`, help: each.help }))
  return { words, files }
}

function starting(start: string, all: readonly Candidate[]): Candidates {
  return { words: all.filter(({ word }) => word.startsWith(start)), files: false }
}

function named({ name, help }: CompletedTask): Candidate {
  return { word: name, help }
}
