import { KraftError } from '../errors/failure.js'
import { dashed, type OptionSpecs } from '../task/option.js'
import { convertAll } from './parse.js'

/** The variable that sets an option of a task: `hours` of `clear-cache` is `KRAFT_CLEAR_CACHE_HOURS`. */
function optionVariable(task: string, option: string): string {
  return `KRAFT_${task}_${dashed(option)}`.toUpperCase().replaceAll('-', '_')
}

/**
 * Options that were not typed, from `KRAFT_*` variables. One that repeats is a list of words; a truth value is yes or no, true
 * or false, 1 or 0.
 *
 * @throws KraftError `usage` for a wrong value, naming the variable.
 */
export function optionsFromVariables(
  task: string,
  specs: OptionSpecs,
  typed: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(specs)) {
    const variable = optionVariable(task, name)
    const text = environment[variable]
    if (Object.hasOwn(typed, name) || text === undefined || text.trim() === '') continue
    if (spec.type === 'boolean') found[name] = truth(task, variable, text)
    else found[name] = convertAll(task, variable, spec, spec.many === true ? text.trim().split(/\s+/) : [text])
  }
  return found
}

function truth(task: string, variable: string, text: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true
  if (/^(0|false|no|off)$/i.test(text)) return false
  throw new KraftError({ kind: 'usage', message: `${variable} is yes or no, got "${text}"`, next: `See: kraft help ${task}` })
}
