import { expect, test } from 'vitest'
import { whyNoSystemd } from '../../../../recipes/providers/local/container-engine.js'

test.each([
  ['true v1\n', 'without root it needs cgroup v2, and this machine has v1'],
  ['true v2\n', undefined],
  ['false v1\n', undefined],
  ['Client: Docker Engine - Community\n', undefined],
])('of %j is said: %s', (said, why) => {
  expect(whyNoSystemd(said)).toBe(why)
})
