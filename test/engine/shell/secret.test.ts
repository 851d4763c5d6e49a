import { format, inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { isSecret, reveal, Secret, secret } from '../../../engine/shell/secret.js'
import { sh } from '../../../engine/shell/sh.js'

describe('a secret', () => {
  const key = secret('hunter2', 'API_KEY')

  it.each([
    ['String', String(key)],
    ['a template string', `${key}`],
    ['JSON', JSON.stringify({ key })],
    ['inspect', inspect({ key }, { depth: 9, showHidden: true })],
    ['console.log', format('%s %o %j %O', key, key, key, key)],
    ['an error', String(new Error('wrong', { cause: key }))],
    ['its own keys', JSON.stringify(Object.entries(key))],
  ])('is not shown by %s', (_, shown) => {
    expect(shown).not.toContain('hunter2')
  })

  it('says its name where a person looks', () => {
    expect(inspect(key)).toBe('[secret API_KEY]')
  })

  it('comes out through reveal alone', () => {
    expect(reveal(key)).toBe('hunter2')
  })

  it('is told from other values', () => {
    expect([isSecret(key), isSecret('hunter2'), isSecret(null), isSecret({})]).toEqual([true, false, false, false])
  })

  it('cannot be revealed when it was forged', () => {
    expect(() => reveal(Object.create(Secret.prototype))).toThrow(TypeError)
  })

  it('does not get into a script', () => {
    expect(sh`echo ${String(key)}`.text).toBe("echo '[secret]'")
  })
})
