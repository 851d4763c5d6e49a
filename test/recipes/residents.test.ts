import { expect, it } from 'vitest'
import { parseResidents } from '../../recipes/residents.js'

it('reads who is on a node: with an environment, without one, and before the first deploy', () => {
  const printed = 'resident shop-live 20261128-100000 shop live\nresident blog  blog -\nother line\n'
  expect(parseResidents(printed)).toEqual([
    { name: 'shop-live', project: 'shop', environment: 'live', release: '20261128-100000' },
    { name: 'blog', project: 'blog', environment: undefined, release: undefined },
  ])
})
