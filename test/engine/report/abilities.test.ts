import { afterEach, expect, it, vi } from 'vitest'
import { hasColors, isCI } from '../../../engine/report/abilities.js'

afterEach(() => void vi.unstubAllEnvs())

it.each([
  [undefined, false],
  ['', false],
  ['false', false],
  ['true', true],
  ['1', true],
])('CI=%s: %s', (CI, is) => {
  expect(isCI(CI === undefined ? {} : { CI })).toBe(is)
})

it.each([
  ['', true],
  ['1', false],
  ['0', false],
])('a terminal with NO_COLOR=%s has colours: %s', (value, has) => {
  vi.stubEnv('TERM', 'xterm')
  vi.stubEnv('NO_COLOR', value)
  expect(hasColors({ isTTY: true })).toBe(has)
})
