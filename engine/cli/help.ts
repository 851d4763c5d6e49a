import { choicesOf, dashed, type OptionSpec } from '../task/option.js'
import { globalOptions } from './parse.js'
import type { Listed } from './print-list.js'
import type { Entry, Registry } from './registry.js'
import { spreadOptions } from './spread-options.js'

/** The list of tasks as data. */
export function listTasks(registry: Registry): readonly Listed[] {
  return [...registry.tasks.values()].map((entry) => ({
    name: entry.name,
    help: (entry.doc ?? entry.task.spec.help ?? '').split('\n')[0] ?? '',
    group: entry.custom ? 'From your kraftfile' : (entry.task.spec.group ?? 'More'),
  }))
}

/** `kraft help TASK`. */
export function printHelp(entry: Entry): string {
  const { spec, given } = entry.task
  const options = Object.entries(spec.options ?? {}).filter(([name]) => !(name in given))
  const positional = options.filter(([, option]) => option.positional === true)
  const target = { nothing: '', nodes: ':NODE', instance: ':TARGET' }[spec.needs ?? 'instance']
  const usage = [
    `kraft ${entry.name}${target}`,
    ...positional.map(([name, option]) => {
      const word = `${argument(name)}${option.many === true ? '…' : ''}`
      return option.required === true ? word : `[${word}]`
    }),
    ...(options.length > positional.length ? ['[--options]'] : []),
    ...(spec.takesRest === true ? ['-- COMMAND'] : []),
  ].join(' ')
  const sections = [
    usage,
    `\n${entry.doc ?? spec.help ?? ''}`,
    ...table(
      'Arguments',
      positional.map(([name, option]) => [argument(name), describe(option)]),
    ),
    ...table(
      'Options',
      options.filter(([, option]) => option.positional !== true).map(([name, option]) => [flag(name, option), describe(option)]),
    ),
    ...(spec.needs === 'nothing'
      ? []
      : table(
          'Options of every task on nodes',
          Object.entries<OptionSpec>(spreadOptions)
            .filter(([name]) => !options.some(([own]) => dashed(own) === name))
            .map(([name, option]) => [flag(name, option), option.help ?? '']),
        )),
    ...table(
      'Options of every task',
      Object.entries(globalOptions).map(([name, option]) => [`--${name}`, option.help]),
    ),
    ...(spec.changes === undefined ? [] : [`\nWhat it changes on the node\n  ${spec.changes}`]),
    ...(spec.examples === undefined ? [] : [`\nExamples\n${spec.examples.map((example) => `  ${example}`).join('\n')}`]),
  ]
  return `${sections.join('\n')}\n`
}

function argument(name: string): string {
  return dashed(name).toUpperCase()
}

function flag(name: string, option: OptionSpec): string {
  if (option.type === 'boolean') return option.default === true ? `--no-${dashed(name)}` : `--${dashed(name)}`
  return `--${dashed(name)} ${option.type === 'number' ? 'N' : argument(name)}`
}

function describe(option: OptionSpec): string {
  const choices = choicesOf(option)
  const facts = [
    choices === undefined ? undefined : `one of ${choices.join(', ')}`,
    option.required === true && option.positional !== true ? 'required' : undefined,
    option.default === undefined || option.type === 'boolean' ? undefined : `default: ${option.default}`,
    option.many === true && option.positional !== true ? 'can be repeated' : undefined,
    option.verbs === undefined ? undefined : `with ${option.verbs.join(', ')}`,
  ].filter((fact) => fact !== undefined)
  return `${option.help ?? ''}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}`.trim()
}

function table(title: string, rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0) return []
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return [`\n${title}\n${rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n')}`]
}
