import { choicesOf, dashed, type OptionSpec, type OptionSpecs } from '../../task/option.js'
import { globalOptions } from '../parse.js'
import type { Registry } from '../registry.js'
import { spreadOptionsOf } from '../spread-options.js'
import type { CompletedOption, CompletedTask } from './candidates.js'

/** What completion needs of each task, as data that can be cached. */
export function describeTasks(registry: Registry): readonly CompletedTask[] {
  return [...registry.tasks.values()].map(({ name, doc, task, custom }) => {
    const { spec, given } = task
    const own = Object.entries(spec.options ?? {}).filter(([key]) => !(key in given))
    const named = (positional: boolean) => own.filter(([, option]) => (option.positional === true) === positional).map(describe)
    const options = named(false)
    const spread = describeAll(spreadOptionsOf(task))
    return {
      name,
      help: (doc ?? spec.help ?? '').split('\n')[0] ?? '',
      needs: spec.needs ?? 'instance',
      takesRest: spec.takesRest === true || custom,
      // An option of the task's own wins over that of every task.
      options: [...options, ...spread.filter((each) => !options.some((other) => other.name === each.name))],
      arguments: named(true),
    }
  })
}

/** The options that every task has. */
export function describeGlobals(): readonly CompletedOption[] {
  return describeAll(globalOptions)
}

function describeAll(specs: OptionSpecs): readonly CompletedOption[] {
  return Object.entries(specs).map(describe)
}

function describe([key, option]: readonly [string, OptionSpec]): CompletedOption {
  const choices = choicesOf(option)
  return {
    name: dashed(key),
    help: option.help ?? '',
    takesValue: option.type !== 'boolean',
    many: option.many === true,
    choices: choices ?? [],
    ...(option.verbs === undefined ? {} : { verbs: option.verbs }),
    targets: option.target === true,
    files: option.type === 'string' && choices === undefined && option.target !== true && isFile(key),
  }
}

function isFile(key: string): boolean {
  return /(file|folder|path|bundle|dir|directory|key)$/i.test(key)
}
