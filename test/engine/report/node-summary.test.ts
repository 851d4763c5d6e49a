import { expect, it } from 'vitest'
import { type NodeEnd, nodeSummary } from '../../../engine/report/node-summary.js'

const end = (node: string, status: NodeEnd['status'], changed = 0): NodeEnd => ({ node, status, changed })

it('each way to end is a line with its nodes, and says how many steps changed', () => {
  const ends = [end('a', 'changed', 3), end('b', 'failed'), end('c', 'ok'), end('d', 'taken back', 2), end('e', 'changed', 1)]
  expect(nodeSummary(ends)).toBe('ok          c\nchanged     a (3), e (1)\ntaken back  d\nfailed      b')
  expect(nodeSummary(ends.slice(0, 2), { dryRun: true })).toBe('would change  a (3)\nfailed        b')
})

it('on a narrow terminal names go on below the first, and none is cut', () => {
  const ends = ['web1', 'web2', 'web3', 'database'].map((name) => end(name, 'ok'))
  expect(nodeSummary([...ends, end('gone', 'unreachable')], { columns: 24 })).toBe(
    ['ok           web1, web2,', '             web3,', '             database', 'unreachable  gone'].join('\n'),
  )
  expect(nodeSummary(ends)).toBe('ok  web1, web2, web3, database')
})
