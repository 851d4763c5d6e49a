import * as v from 'valibot'
import type { Reference } from './vault.js'

const text = v.pipe(v.string(), v.trim(), v.nonEmpty('some text'))

const inVault = (known: readonly string[]) =>
  v.pipe(
    v.record(v.picklist(known), text),
    v.check((map) => Object.keys(map).length === 1, 'one vault with its reference'),
    v.transform((map): Reference => {
      const [[vault, reference] = ['', '']] = Object.entries(map)
      return { vault, reference }
    }),
  )

/** A value as it is written, or where one of these vaults has it. */
export function orReference<T>(vaults: readonly string[], value: v.GenericSchema<unknown, T>) {
  return v.lazy(
    (input): v.GenericSchema<unknown, T | Reference> =>
      typeof input === 'object' && input !== null && !Array.isArray(input) ? inVault(vaults) : value,
  )
}
