import { KraftError } from '../errors/failure.js'
import { defaultOptions, requireOptions } from '../task/option.js'
import type { Spread } from '../task/spread.js'
import { optionsFromVariables } from './option-variables.js'
import type { Arguments, Word } from './parse.js'
import type { Entry } from './registry.js'
import { spreadOf } from './spread-options.js'

/** What a call of kraft asks a task for. */
export interface Call {
  readonly options: Readonly<Record<string, unknown>>
  readonly spread: Spread
}

/**
 * Completes what was typed with what variables say, and refuses what the task can't take.
 *
 * @throws KraftError `usage` for a required option that is missing, or a target where there is none.
 */
export function checkCall({ task }: Entry, { task: name, targets }: Word, typed: Arguments): Call {
  const { spec, given } = task
  const specs = spec.options ?? {}
  const options = { ...optionsFromVariables(name, specs, { ...typed.options, ...given }), ...typed.options }
  const spread = spreadOf(name, task, typed.spread)
  requireOptions(name, specs, { ...defaultOptions(specs), ...options, ...given })
  if (spec.needs === 'nothing' && spec.optionalTarget !== true && targets.length > 0) {
    throw new KraftError({ kind: 'usage', message: `${name} takes nothing behind a colon`, next: `See: kraft help ${name}` })
  }
  return { options, spread }
}
