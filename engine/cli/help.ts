import type { OptionSpec } from '../task/option.js'
import { dashed, globalOptions } from './parse.js'
import type { Entry, Registry } from './registry.js'

/** What the list of tasks shows of each; plain data, so that it can be cached. */
export interface Listed {
  readonly name: string
  readonly help: string
  readonly group: string
}

/** The list of tasks as data. */
export function listTasks(registry: Registry): readonly Listed[] {
  return [...registry.values()].map((entry) => ({
    name: entry.name,
    help: (entry.doc ?? entry.task.spec.help ?? '').split('\n')[0] ?? '',
    group: entry.custom ? 'From your kraftfile' : (entry.task.spec.group ?? 'More'),
  }))
}

/** The list of tasks as `kraft` prints it. */
export function printList(tasks: readonly Listed[], columns: number): string {
  const width = Math.max(...tasks.map(({ name }) => name.length)) + 2
  const groups = [...new Set(tasks.map(({ group }) => group))]
  const rows = groups.flatMap((group) => [
    '',
    group,
    ...tasks
      .filter((each) => each.group === group)
      .map(({ name, help }) => `  ${name.padEnd(width)}${clip(help, columns - width - 2)}`),
  ])
  return `Usage: kraft TASK[:TARGET] [ARGUMENTS] [--options] [-- COMMAND]\n${rows.join('\n')}\n\nkraft help TASK says more.\n`
}

/** `kraft help TASK`. */
export function printHelp(entry: Entry): string {
  const { spec, given } = entry.task
  const options = Object.entries(spec.options ?? {}).filter(([name]) => !(name in given))
  const positional = options.filter(([, option]) => option.positional === true)
  const target = { nothing: '', nodes: ':NODE', instance: ':TARGET' }[spec.needs ?? 'instance']
  const usage = [
    `kraft ${entry.name}${target}`,
    ...positional.map(([name, option]) => (option.required === true ? name.toUpperCase() : `[${name.toUpperCase()}]`)),
    ...(options.length > positional.length ? ['[--options]'] : []),
    ...(spec.takesRest === true ? ['-- COMMAND'] : []),
  ].join(' ')
  const sections = [
    usage,
    `\n${entry.doc ?? spec.help ?? ''}`,
    ...table(
      'Arguments',
      positional.map(([name, option]) => [name.toUpperCase(), describe(option)]),
    ),
    ...table(
      'Options',
      options.filter(([, option]) => option.positional !== true).map(([name, option]) => [flag(name, option), describe(option)]),
    ),
    ...table(
      'Options of every task',
      Object.entries(globalOptions).map(([name, option]) => [`--${name}`, option.help]),
    ),
    ...(spec.examples === undefined ? [] : [`\nExamples\n${spec.examples.map((example) => `  ${example}`).join('\n')}`]),
  ]
  return `${sections.join('\n')}\n`
}

function flag(name: string, option: OptionSpec): string {
  return option.type === 'boolean'
    ? `--${dashed(name)}`
    : `--${dashed(name)} ${option.type === 'number' ? 'N' : dashed(name).toUpperCase()}`
}

function describe(option: OptionSpec): string {
  const facts = [
    option.choices === undefined ? undefined : `one of ${option.choices.join(', ')}`,
    option.default === undefined ? undefined : `default: ${option.default}`,
    option.many === true ? 'can be repeated' : undefined,
  ].filter((fact) => fact !== undefined)
  return `${option.help ?? ''}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}`.trim()
}

function table(title: string, rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0) return []
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return [`\n${title}\n${rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n')}`]
}

function clip(text: string, width: number): string {
  return text.length <= width || width < 10 ? text : `${text.slice(0, width - 1)}…`
}
