import { wrap } from '../report/wrap.js'
import { choicesOf, dashed, type OptionSpec } from '../task/option.js'
import type { TaskSpec } from '../task/task.js'
import { globalOptions, letterOf } from './parse.js'
import type { Listed } from './print-list.js'
import type { Entry, Registry } from './registry.js'
import { spreadOptionsOf } from './spread-options.js'

// As one needs them, the first things first; groups of a kraftfile follow.
const order = ['Start', 'Deploy', 'Day by day', 'Data', 'Operate', 'Nodes', 'More']

/** The list of tasks as data. */
export function listTasks(registry: Registry): readonly Listed[] {
  const place = ({ group }: Listed) => (order.includes(group) ? order.indexOf(group) : order.length)
  return [...registry.tasks.values()]
    .map((entry) => ({
      name: entry.name,
      help: (entry.doc ?? entry.task.spec.help ?? '').split('\n')[0] ?? '',
      group: entry.custom ? 'From your kraftfile' : (entry.task.spec.group ?? 'More'),
    }))
    .sort((a, b) => place(a) - place(b))
}

/** `kraft help TASK`, in lines of so many letters; what is to be pasted is never broken. */
export function printHelp(entry: Entry, columns = Infinity): string {
  const { spec, given } = entry.task
  const options = Object.entries(spec.options ?? {}).filter(([name]) => !(name in given))
  const positional = options.filter(([, option]) => option.positional === true)
  const paragraph = (text: string, indent = '') =>
    text
      .split('\n')
      .map((line) => indent + wrap(line.split(' '), columns - indent.length).join(`\n${indent}`))
      .join('\n')
  const table = (title: string, rows: readonly (readonly [string, string])[]) => {
    if (rows.length === 0) return []
    const width = Math.max(...rows.map(([left]) => left.length)) + 4
    // Where little room is left, what is said of it stands below.
    const below = columns - width < 20
    const start = below ? `\n${' '.repeat(8)}` : ''
    const lines = rows.map(([left, right]) => {
      const said = wrap(right.split(' '), below ? columns - 8 : columns - width)
      return `  ${left}`.padEnd(below ? 0 : width) + start + said.join(`\n${' '.repeat(below ? 8 : width)}`)
    })
    return [`\n${title}\n${lines.join('\n')}`]
  }
  const named = (specs: readonly (readonly [string, OptionSpec])[]) =>
    specs.map(([name, option]): [string, string] => [flag(name, option), describe(option)])
  const sections = [
    paragraph(usageOf(entry, positional)),
    `\n${paragraph(entry.doc ?? spec.help ?? '')}`,
    ...table(
      'Arguments',
      positional.map(([name, option]) => [argument(name), describe(option)]),
    ),
    ...table('Options', named(options.filter(([, option]) => option.positional !== true))),
    ...table(
      'Options of tasks on nodes',
      named(Object.entries(spreadOptionsOf(entry.task)).filter(([name]) => !options.some(([own]) => dashed(own) === name))),
    ),
    ...table(
      'Options of every task',
      Object.entries(globalOptions).map(([name, option]) => {
        const letter = letterOf(name)
        return [`${letter === undefined ? '   ' : `-${letter},`} --${name}`, option.help]
      }),
    ),
    ...(spec.changes === undefined ? [] : [`\nWhat it changes on the node\n${paragraph(spec.changes, '  ')}`]),
    ...(spec.examples === undefined ? [] : [`\nExamples\n${spec.examples.map((example) => `  ${example}`).join('\n')}`]),
  ]
  return `${sections.join('\n')}\n`
}

function usageOf({ name, task: { spec } }: Entry, positional: readonly (readonly [string, OptionSpec])[]): string {
  return [
    `kraft ${name}${targetOf(spec)}`,
    ...positional.map(([key, option]) => {
      const word = `${argument(key)}${option.many === true ? '…' : ''}`
      return option.required === true ? word : `[${word}]`
    }),
    '[--options]',
    ...(spec.takesRest === true ? ['[-- COMMAND]'] : []),
  ].join(' ')
}

function targetOf({ needs = 'instance', optionalTarget = false }: TaskSpec): string {
  if (needs === 'nothing') return optionalTarget ? '[:TARGET]' : ''
  return needs === 'nodes' ? ':NODE' : ':TARGET'
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
    option.default === undefined || option.default === '' || option.type === 'boolean' ? undefined : `default: ${option.default}`,
    option.many === true && option.positional !== true ? 'can be repeated' : undefined,
    option.verbs === undefined ? undefined : `with ${option.verbs.join(', ')}`,
  ].filter((fact) => fact !== undefined)
  const help = option.help ?? ''
  if (facts.length === 0) return help
  // One pair of brackets is enough.
  return help.endsWith(')') ? `${help.slice(0, -1)}; ${facts.join('; ')})` : `${help} (${facts.join('; ')})`.trim()
}
