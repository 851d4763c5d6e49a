import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { lines, quote, Sh, sh } from '../../../engine/shell/sh.js'
import { ensurePackages } from '../../rig/packages.js'

const nasty = [
  '',
  ' ',
  'plain',
  'two words',
  "it's",
  "''",
  '"double"',
  '$HOME',
  '$'.concat('{HOME}'),
  '$(id)',
  '`id`',
  '\\',
  '\\n',
  'ends with \\',
  'a\nb',
  '\n',
  'ends\n',
  '\t',
  '!history!',
  '#comment',
  '~',
  '~root',
  '*',
  '?[a-z]*',
  '{a,b}',
  'a;b',
  'a&b|c',
  '<in >out',
  '-n',
  '--',
  'a=b',
  '%s%n%d',
  'ä€😀',
  '\u0001\u001b[31m\u007f',
  "$'\\x41'",
  "'; rm -rf / #",
]

describe.each(['dash', 'bash', 'bash --posix'])('quoting in %s', (shell) => {
  it('gives every word back as it was', async () => {
    await ensurePackages(['dash'])
    const [program = '', ...options] = shell.split(' ')
    const script = `printf '%s\\0' ${nasty.map(quote).join(' ')}`
    const words = execFileSync(program, [...options, '-c', script], { encoding: 'utf8' })
      .split('\0')
      .slice(0, -1)
    expect(words).toEqual(nasty)
  })
})

describe('sh', () => {
  it('quotes values and makes several words of a list', () => {
    expect(sh`install -o ${'web'} ${['/a b', '/c']} ${8}`.text).toBe("install -o web '/a b' /c 8")
  })

  it('takes pieces of shell as they are', () => {
    expect(sh`if ${sh`test -e ${'a b'}`}; then ${new Sh('true')}; fi`.text).toBe("if test -e 'a b'; then true; fi")
  })

  it('keeps backslashes and takes away the indentation of the code around it', () => {
    const text = sh`
      printf 'a\n'
        indented
    `.text
    expect(text).toBe("printf 'a\\n'\n  indented")
  })

  it('refuses a NUL byte, which no word can hold', () => {
    expect(() => sh`echo ${'a\0b'}`).toThrow(TypeError)
  })

  it('puts pieces below each other', () => {
    expect(lines(sh`a`, undefined, sh`b`).text).toBe('a\nb')
  })
})
