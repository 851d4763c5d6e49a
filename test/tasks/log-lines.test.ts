import { expect, it } from 'vitest'
import type { LogEntry } from '../../project/log-entries.js'
import { chosen, LogPrinter, LogReader } from '../../tasks/log-lines.js'

const entry = (node: string, log: string, time: number, ...lines: string[]): LogEntry => ({ node, log, time, lines })

it('reads look by look what a node says of its logs', () => {
  const looks: (readonly (readonly LogEntry[])[])[] = []
  const reader = new LogReader('one', (found) => looks.push(found))
  const line = '2026-11-28T17:40:03.000Z a\tb'
  for (const each of [
    '\u00023600\tnginx.error\tweb',
    `web\t${line}`,
    'nginx.error\t2026/11/28 18:40:03 [error] x',
    '\u0001',
    '\u0001',
  ]) {
    reader.take(each)
  }
  const time = Date.parse('2026-11-28T17:40:03Z')
  expect(reader.known).toEqual(['nginx.error', 'web'])
  expect(looks).toEqual([
    [[entry('one', 'web', time, line)], [entry('one', 'nginx.error', time, '2026/11/28 18:40:03 [error] x')]],
    [],
  ])
})

it('chooses by time and text, whole entries, the newest lines', () => {
  const all = [entry('a', 'web', 1, 'x'), entry('a', 'web', 2, 'y', '  bad'), entry('a', 'web', 3, 'z')]
  expect(chosen(all, { since: new Date(2) })).toEqual(all.slice(1))
  expect(chosen(all, { grep: /bad/ })).toEqual([all[1]])
  expect(chosen(all, { lines: 1 })).toEqual([all[2]])
  expect(chosen(all, { lines: 2 })).toEqual(all.slice(1))
  expect(chosen(all, { lines: 0 })).toEqual([])
  expect(chosen(all, {})).toEqual(all)
})

it('prints where a line is from as far as that could be in doubt, in colours that stay', () => {
  const entries = [entry('a', 'web', 1, 'x', 'y'), entry('bb', 'worker.2', 2, 'z')]
  const print = (options: ConstructorParameters<typeof LogPrinter>[0]) => new LogPrinter(options).print(entries)
  expect(print({ nodes: true, logs: true, color: false })).toBe('a web       | x\na web       | y\nbb worker.2 | z\n')
  expect(print({ nodes: false, logs: true, color: false })).toBe('web      | x\nweb      | y\nworker.2 | z\n')
  expect(print({ nodes: false, logs: false, color: true })).toBe('x\ny\nz\n')
  expect(print({ nodes: true, logs: false, color: true })).toBe(
    '\x1b[36ma  |\x1b[0m x\n\x1b[36ma  |\x1b[0m y\n\x1b[33mbb |\x1b[0m z\n',
  )
})
