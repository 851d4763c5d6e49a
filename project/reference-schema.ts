import * as v from 'valibot'
import { nearest } from '../engine/errors/nearest.js'
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
  const refused = (one: string, end = '') => v.never(`${one}, or one vault with its reference (${vaults.join(', ')})${end}`)
  return v.lazy((input): v.GenericSchema<unknown, T | Reference> => {
    if (input === null) return refused('one text ("" for none)')
    if (Array.isArray(input)) return input.length === 0 ? value : refused('one text', ', and not a list')
    if (typeof input !== 'object') return value
    const keys = Object.keys(input)
    // One key that resembles no vault, or several, were never meant as a reference.
    const isMap = keys.length > 1 || keys.some((key) => nearest(key, vaults) === undefined)
    return isMap ? refused('one text', ', and not a map') : inVault(vaults)
  })
}
