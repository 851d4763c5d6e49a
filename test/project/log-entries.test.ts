import { describe, expect, it } from 'vitest'
import { byTime, entriesOf, timeOf } from '../../project/log-entries.js'

const iso = (line: string, offset = 0) => {
  const time = timeOf(line, offset)
  return time === undefined ? undefined : new Date(time).toISOString()
}

describe('the time of a line', () => {
  it('is its stamp, or what nginx and redis write', () => {
    expect(iso('2026-11-28T17:40:03.123Z asked for /')).toBe('2026-11-28T17:40:03.123Z')
    expect(iso('2026-11-28T17:40:03Z ann@laptop deploy 20261128-174000 ok')).toBe('2026-11-28T17:40:03.000Z')
    expect(iso('10.0.0.1 - - [28/Nov/2026:18:40:03 +0100] "GET / HTTP/1.1" 200 4 "-" "curl" 0.001', 3600)).toBe(
      '2026-11-28T17:40:03.000Z',
    )
    expect(iso('2026/11/28 18:40:03 [error] 12#12: *1 connect() failed', 3600)).toBe('2026-11-28T17:40:03.000Z')
    expect(iso('123:M 28 Nov 2026 18:40:03.456 * Ready to accept connections', 3600)).toBe('2026-11-28T17:40:03.456Z')
  })

  it('is unknown where a line has none', () => {
    for (const line of ['', 'plain', '2026-11-28 17:40:03 later', '2026-99-28T17:40:03.123Z x', '[28/Nov/2026] x']) {
      expect(iso(line), line).toBeUndefined()
    }
  })
})

const at = (second: number, text: string) => `2026-11-28T17:40:${String(second).padStart(2, '0')}.000Z ${text}`

describe('entries', () => {
  const texts = (lines: readonly string[]) =>
    entriesOf('one', 'web', lines, 0).map((entry) => entry.lines.map((line) => line.replace(/^\S+Z /, '')))

  it('a traceback is one with what stands before it, with its causes, and ends with the exception', () => {
    const traceback = [
      'Internal Server Error: /',
      'Traceback (most recent call last):',
      '  File "a.py", line 1, in view',
      '    1 / 0',
      'ZeroDivisionError: division by zero',
      '',
      'During handling of the above exception, another exception occurred:',
      '',
      'Traceback (most recent call last):',
      '  File "b.py", line 2, in view',
      '    oh()',
      '    ^^^^',
      'b.Oh: no',
    ]
    expect(texts(['before', ...traceback, 'after'].map((text, index) => at(index, text)))).toEqual([
      ['before'],
      traceback,
      ['after'],
    ])
  })

  it('one that nothing announces begins by itself, and what only looks like an error stays alone', () => {
    const lines = ['GET / ok', 'Traceback (most recent call last):', '  x', 'E: y', 'error in line 3', 'next']
    expect(texts(lines.map((text) => at(1, text)))).toEqual([['GET / ok'], lines.slice(1, 4), ['error in line 3'], ['next']])
  })

  it('a line without a time has that of the one before', () => {
    expect(entriesOf('one', 'web', ['early', at(3, 'x'), 'y'], 0).map(({ time }) => time)).toEqual([
      undefined,
      Date.parse('2026-11-28T17:40:03Z'),
      Date.parse('2026-11-28T17:40:03Z'),
    ])
  })
})

describe('by time', () => {
  it('merges logs of several nodes, and leaves the order within a log', () => {
    const one = entriesOf('one', 'web', [at(1, 'a'), at(3, 'c'), at(2, 'late'), at(5, 'e')], 0)
    const two = entriesOf('two', 'web', ['old', at(2, 'b'), at(4, 'd'), at(4, '  of d')], 0)
    expect(byTime([one, two]).map(({ lines }) => lines.map((line) => line.replace(/^\S+Z /, '')).join())).toEqual([
      'old',
      'a',
      'b',
      'c',
      'late',
      'd,  of d',
      'e',
    ])
  })
})
