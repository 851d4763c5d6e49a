import { expect, it } from 'vitest'
import { kindNames, loadKind, loadKinds } from '../../../recipes/kinds.js'
import { vault as aws } from '../../../recipes/vaults/aws.js'
import { vault as bw } from '../../../recipes/vaults/bw.js'
import { vault as op } from '../../../recipes/vaults/op.js'

it('each file exports a vault of its name, whose example is right', async () => {
  expect(kindNames('vaults')).toEqual(['aws', 'bw', 'command', 'op'])
  for (const vault of await loadKinds('vaults')) {
    expect(await loadKind('vaults', vault.name)).toBe(vault)
    expect(vault.problem?.(vault.example)).toBeUndefined()
    expect(vault.command(vault.example).every((word) => word !== '')).toBe(true)
  }
})

it('1Password reads a secret reference, which has three parts', () => {
  expect(op.command('op://shop/stripe/key')).toEqual(['op', 'read', '--no-newline', 'op://shop/stripe/key'])
  expect(op.problem?.('op://shop/stripe')).toBe('op://VAULT/ITEM/FIELD')
})

it('Bitwarden reads a field of an item, the password where none is named', () => {
  const item = JSON.stringify({
    login: { password: 'pass', username: 'ada' },
    notes: 'note',
    fields: [{ name: 'key', value: 'own' }],
  })
  expect(bw.command('my/stripe/key')).toEqual(['bw', '--nointeraction', 'get', 'item', 'my/stripe'])
  const read = (reference: string) => bw.read?.(item, reference)
  expect(['stripe', 'stripe/password', 'stripe/username', 'stripe/notes', 'stripe/key'].map(read)).toEqual([
    'pass',
    'pass',
    'ada',
    'note',
    'own',
  ])
  expect(() => read('stripe/totp')).toThrow('the item has no field "totp"')
})

it('AWS reads a secret, a key of its JSON, or a parameter', () => {
  expect(aws.command('shop/live#stripe').slice(0, 5)).toEqual([
    'aws',
    'secretsmanager',
    'get-secret-value',
    '--secret-id',
    'shop/live',
  ])
  expect(aws.command('ssm:/shop/key')).toContain('/shop/key')
  expect(aws.command('ssm:/shop/key')).toContain('--with-decryption')
  const printed = (value: unknown) => `${JSON.stringify(value)}\n`
  expect(aws.read?.(printed('line 1\nline 2\n'), 'shop')).toBe('line 1\nline 2\n')
  expect(aws.read?.(printed('{"stripe":"s3cret","port":5432}'), 'shop#stripe')).toBe('s3cret')
  expect(aws.read?.(printed('{"stripe":"s3cret","port":5432}'), 'shop#port')).toBe('5432')
  expect(() => aws.read?.(printed('{"stripe":"s3cret"}'), 'shop#strip')).toThrow('the secret has no key "strip"')
  expect(() => aws.read?.(printed('s3cret'), 'shop#stripe')).toThrow('the secret is no map in JSON')
  expect(() => aws.read?.(printed('s3cret'), 'shop#stripe')).not.toThrow('s3cret')
  expect(() => aws.read?.(printed(null), 'shop')).toThrow('the secret is no text')
})
