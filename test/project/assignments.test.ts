import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readAssignments, type Variables, writeAssignments } from '../../project/assignments.js'

const bytes = Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1))
const odd: Variables = new Map([
  ['PLAIN', Buffer.from('1')],
  ['EMPTY', Buffer.from('')],
  ['LINES', Buffer.from("-----BEGIN KEY-----\nit's 'quoted'\n\nB='x'\n-----END KEY-----\n")],
  ['SHELL_TEXT', Buffer.from('$(touch /tmp/never) `id` "$HOME" \\ \\\n # ; & |')],
  ['BYTES', bytes],
])

it('what is written is read again, byte for byte', () => {
  expect(readAssignments(writeAssignments(odd), 'environ')).toEqual(odd)
  expect(readAssignments(Buffer.from(''), 'environ').size).toBe(0)
})

it.each(['dash', 'bash'])('%s reads the same', (shell) => {
  const folder = mkdtempSync(join(tmpdir(), 'kraft-assignments-'))
  try {
    writeFileSync(join(folder, 'environ'), writeAssignments(odd))
    const script = `set -a; . ${folder}/environ; exec env -0`
    const printed = execFileSync('env', ['-i', 'PATH=/usr/bin:/bin', shell, '-c', script]).toString('latin1')
    const rows = printed.split('\0').map((row) => [row.slice(0, row.indexOf('=')), row.slice(row.indexOf('=') + 1)] as const)
    for (const [name, value] of odd) expect(new Map(rows).get(name), name).toBe(value.toString('latin1'))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it.each([
  ['A=1\n', 1],
  ["A='1'\nB=$(id)\n", 2],
  ["A='1'; id\n", 1],
  ["A='1\n2'\nB='3\n", 3],
  ["A='1'", 1],
  ["1A='x'\n", 1],
  ["A='x''y'\n", 1],
])('%j is no data, and is refused at line %i', (text, line) => {
  expect(() => readAssignments(Buffer.from(text), 'environ')).toThrow(`Line ${line} of environ is not NAME='value'`)
})
