import { expect, it } from 'vitest'
import { fitsWildcard } from '../../../engine/config/wildcard.js'

it.each([
  ['web1', 'web1', true],
  ['web1', 'web10', false],
  ['web*', 'web', true],
  ['*.conf', 'a.conf', true],
  ['*.conf', 'aXconf', false],
  ['web?', 'web1', true],
  ['web?', 'web', false],
  ['[a]+(b)|c', '[a]+(b)|c', true],
  ['a*', 'a\nb', true],
])('%j and %j: %s', (pattern, text, fits) => {
  expect(fitsWildcard(pattern, text)).toBe(fits)
})
