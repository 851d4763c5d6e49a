import { dashed } from '../../task/option.js'
import { globalOptions } from '../parse.js'
import type { Registry } from '../registry.js'
import type { CompletedOption, CompletedTask } from './candidates.js'

/** What completion needs of each task, as data that can be cached. */
export function describeTasks(registry: Registry): readonly CompletedTask[] {
  return [...registry.tasks.values()].map(({ name, doc, task: { spec, given }, custom }) => {
    const options = Object.entries(spec.options ?? {}).filter(([key]) => !(key in given))
    const all = options.map(([key, option]): CompletedOption & { readonly positional: boolean } => ({
      name: dashed(key),
      help: option.help ?? '',
      takesValue: option.type !== 'boolean',
      many: option.many === true,
      choices: option.choices ?? [],
      files: option.type === 'string' && option.choices === undefined && isFile(key),
      positional: option.positional === true,
    }))
    return {
      name,
      help: (doc ?? spec.help ?? '').split('\n')[0] ?? '',
      needs: spec.needs ?? 'instance',
      takesRest: spec.takesRest === true || custom,
      options: all.filter(({ positional }) => !positional),
      arguments: all.filter(({ positional }) => positional),
    }
  })
}

/** The options that every task has. */
export function describeGlobals(): readonly CompletedOption[] {
  return Object.entries(globalOptions).map(([name, { help }]) => ({
    name,
    help,
    takesValue: false,
    many: false,
    choices: [],
    files: false,
  }))
}

function isFile(key: string): boolean {
  return /(file|folder|path|bundle|dir|directory|key)$/i.test(key)
}
