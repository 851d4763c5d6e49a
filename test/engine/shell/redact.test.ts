import { describe, expect, it } from 'vitest'
import { redact, redactData, register } from '../../../engine/shell/redact.js'
import { secret } from '../../../engine/shell/secret.js'
import { isSecretive, registerSecretive } from '../../../engine/shell/secretive.js'
import { quote } from '../../../engine/shell/sh.js'

describe('a registered value', () => {
  const value = `it's a "pa55/word"+\\&%`
  register(value)

  it.each([
    ['as it is', value],
    ['quoted for a shell', quote(value)],
    ['in JSON', JSON.stringify({ value })],
    ['URL-encoded', encodeURIComponent(value)],
    ['base64', Buffer.from(value).toString('base64')],
    ['base64 for URLs', Buffer.from(value).toString('base64url')],
    ['base64 after one byte', Buffer.from(`a${value}b`).toString('base64')],
    ['base64 after two bytes', Buffer.from(`ab${value}cd`).toString('base64')],
    ['base64 after three bytes', Buffer.from(`abc${value}def`).toString('base64')],
  ])('%s is masked', (_, text) => {
    const shown = redact(`before ${text} after`)
    expect(shown).toContain('[secret]')
    expect(shown).toMatch(/^before .* after$/)
    for (const part of ['pa55', encodeURIComponent('pa55/'), Buffer.from('"pa55/word"').toString('base64').slice(2, 12)])
      expect(shown).not.toContain(part)
  })

  it('is masked in data, which stays data', () => {
    expect(redactData({ a: [value, 1, true, null], b: `<${value}>` })).toEqual({
      a: ['[secret]', 1, true, null],
      b: '<[secret]>',
    })
  })
})

it('a secret that holds another is masked whole', () => {
  register('hunter22')
  register('hunter22-and-more')
  expect(redact('hunter22-and-more hunter22')).toBe('[secret] [secret]')
})

it('each line of a private key is masked', () => {
  const lines = ['b3BlbnNzaC1rZXktdjEAAAAABG5vbmU', 'QyNTUxOQAAACBkZWFkYmVlZmRlYWRiZWVm']
  secret(`-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`)
  for (const line of lines) expect(redact(`says ${line}`)).toBe('says [secret]')
})

it('what is too short to be a secret stays', () => {
  secret('yes')
  expect(redact('yes')).toBe('yes')
})

it.each([
  'SECRET_KEY',
  'DJANGO_SECRET_KEY',
  'API_TOKEN',
  'DB_PASSWORD',
  'STRIPE_API_KEY',
  'AWS_SECRET_ACCESS_KEY',
  'KRAFT_EC2_SECRET',
])('%s is known for a secret by its name', (name) => expect(isSecretive(name)).toBe(true))

it.each(['AWS_ACCESS_KEY_ID', 'CACHE_KEY_PREFIX', 'PASSENGER', 'MONKEY', 'SSH_PUBLIC_KEY', 'SECRET_FILE', 'DOMAIN'])(
  '%s is not',
  (name) => expect(isSecretive(name)).toBe(false),
)

it('passwords in URLs are secret, also as they are before they are encoded', () => {
  registerSecretive({ BROKER: 'amqp://shop:s3cr%40t-pw@mq/vhost, redis://:other-pw@cache' })
  expect(redact('amqp://shop:s3cr%40t-pw@mq s3cr@t-pw other-pw shop')).toBe('amqp://shop:[secret]@mq [secret] [secret] shop')
})
