import { expect, it } from 'vitest'
import type { NodeDiff } from '../../tasks/diff-node.js'
import { differs, diffText } from '../../tasks/diff-text.js'

const nothing: NodeDiff = {
  node: 'one',
  role: null,
  release: { id: '20261128-010203', commit: '1a2b3c4d5e', revision: 'main', dirty: true, by: 'ada@laptop' },
  commits: { added: [], removed: [] },
  files: [],
  touched: [],
  requirements: [],
  configuration: [],
}
const release = 'release 20261128-010203 (main, 1a2b3c4, with changes that were not committed, by ada@laptop)'

it('names together the nodes of which the same is to be said', () => {
  expect(diffText([nothing, { ...nothing, node: 'two' }], { color: false })).toBe(
    `one, two: ${release}; a deploy would change nothing`,
  )
  expect(differs(nothing)).toBe(false)
})

it('shows commits, files, requirements and configuration, each where there is something', () => {
  const found: NodeDiff = {
    ...nothing,
    commits: { added: [{ commit: '9f8e7d6c5b', title: 'Basket', by: 'Ada' }], removed: [] },
    files: [
      { path: 'shop/basket.py', change: 'added' },
      { path: 'run.sh', change: 'mode' },
    ],
    requirements: [{ before: 'django==5.1', after: 'django==5.2' }],
    configuration: [{ title: 'File /etc/a', diff: ['-old', '+new'] }],
  }
  expect(differs(found)).toBe(true)
  expect(diffText([found], { color: false })).toBe(`one: ${release}
Commits
  + 9f8e7d6 Basket (Ada)
Files
  + shop/basket.py
  ~ run.sh (mode)
Requirements
  - django==5.1
  + django==5.2
Configuration
  File /etc/a
    -old
    +new`)
  expect(diffText([found], { color: true })).toContain('    \x1b[32m+new\x1b[0m')
})

it('counts what it cannot know as a difference', () => {
  expect(differs({ ...nothing, release: null })).toBe(true)
  expect(differs({ ...nothing, files: null })).toBe(true)
  expect(diffText([{ ...nothing, release: null }], { color: false })).toBe('one: nothing is deployed there yet')
})

it('of a balancer only the configuration is compared', () => {
  const balancer: NodeDiff = {
    ...nothing,
    node: 'front',
    role: 'balancer',
    release: null,
    commits: null,
    files: null,
    requirements: null,
  }
  expect([differs(balancer), diffText([balancer], { color: false })]).toEqual([
    false,
    'front: balancer; a deploy would change nothing',
  ])
  const drifted = { ...balancer, configuration: [{ title: 'File /etc/a', diff: ['-old', '+new'] }] }
  expect([differs(drifted), diffText([drifted], { color: false })]).toEqual([
    true,
    'front: balancer\nConfiguration\n  File /etc/a\n    -old\n    +new',
  ])
})

it('of a node that keeps data for the others only how it serves them is compared', () => {
  const keeper: NodeDiff = { ...nothing, node: 'back', role: 'db', release: null, files: null, requirements: null }
  expect([differs(keeper), diffText([keeper], { color: false })]).toEqual([
    false,
    'back: data for the others; a deploy would change nothing',
  ])
  expect(differs({ ...keeper, configuration: [{ title: 'Role shop', diff: [] }] })).toBe(true)
})
