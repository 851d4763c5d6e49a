import { expect, it } from 'vitest'
import { tooOld } from '../../../recipes/doctor/node-js.js'

it.each(['20.19', '20.19.0', '20.20.1', '24.1.0'])('%s is new enough', (version) => {
  expect(tooOld(version, '>=20.19')).toEqual([])
})

it.each(['20.18.3', '18.20.0', '9.99.0'])('%s is too old', (version) => {
  expect(tooOld(version, '>=20.19')).toMatchObject([{ level: 'error', what: expect.stringContaining('older than 20.19') }])
})
