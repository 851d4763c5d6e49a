import * as v from 'valibot'

const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }
const sizePattern = /^(\d+(?:\.\d+)?)\s*([KMG]?)i?B?$/i
/** A size as people write it, in bytes. */
export const size = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform((value) => {
    const [, amount = '', unit = ''] = String(value).trim().match(sizePattern) ?? []
    return amount === '' ? Number.NaN : Math.round(Number(amount) * (units[unit.toUpperCase()] ?? Number.NaN))
  }),
  v.number('a size, as in 100 MB or 2GB'),
  v.minValue(1, 'at least one byte'),
  v.maxValue(2 ** 50, 'a size that a disk can hold'),
)
