import { expect, test } from 'vitest'
import { changeNodes } from '../../project/nodes-in-yaml.js'

const live = (nodes: string) => `# the shop
environments:
  stage: { nodes: [one] }
  live:
    nodes: ${nodes}
    workers: 4   # as many as it has processors
`

test('another node takes the place of one in one environment, and every other letter stays', async () => {
  const moved = (nodes: string) => changeNodes(live(nodes), 'live', { from: 'one', to: 'two' })
  expect(await moved('[one] # here')).toBe(live('[two] # here'))
  expect(await moved('one')).toBe(live('two'))
  expect(await moved('"one"')).toBe(live('two'))
  expect(await changeNodes(live('[one]'), 'live', { from: 'one', to: '10' })).toBe(live('["10"]'))
  expect(await moved('one three')).toBe(live('two three'))
  expect(await moved('\n      - one   # the first\n      - onetwo')).toBe(live('\n      - two   # the first\n      - onetwo'))
  expect(await moved('{ web: [one], db: one }')).toBe(live('{ web: [two], db: two }'))
  expect(await moved('\n      web: [one]\n      db: [three]')).toBe(live('\n      web: [two]\n      db: [three]'))
})

test('a node gets the role db beside those that there are', async () => {
  const given = (nodes: string) => changeNodes(live(nodes), 'live', { db: 'back' })
  expect(await given('[one] # here')).toBe(live('{ web: [one], db: [back] } # here'))
  expect(await given('one')).toBe(live('{ web: [one], db: [back] }'))
  expect(await given('\n      - one\n      - two')).toBe(live('\n      { web: [one, two], db: [back] }'))
  expect(await given('{ web: [one] }')).toBe(live('{ web: [one], db: [back] }'))
  expect(await given('{ web: [one], db: [old] }')).toBe(live('{ web: [one], db: [back] }'))
})

test('what is written otherwise is left alone', async () => {
  const text = 'a: &a [one]\nenvironments: { live: { nodes: *a }, stage: { nodes: [three] } }\n'
  for (const environment of ['live', 'stage', 'none']) {
    expect(await changeNodes(text, environment, { from: 'one', to: 'two' })).toBeUndefined()
  }
})
