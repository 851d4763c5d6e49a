import { expect, it } from 'vitest'
import { placesOfSecrets } from '../../../recipes/doctor/committed.js'

const lines = async (text: string) => (await placesOfSecrets(text, 'a.yaml')).map(({ line }) => line)

it.each([
  ['a variable whose name says so', 'environ:\n  API_TOKEN: abc\n  MODE: fast\n', [2]],
  ['the password of an address', 'services:\n  - postgres: { url: "postgres://me:pa55@db/shop" }\n', [2]],
  ['the password before a site', 'protect:\n  user: a\n  password: preview-1\n', [3]],
  ['the address of a webhook', 'notify:\n  - webhook: https://chat.example.com/hooks/1\n', [2]],
])('tells %s', async (_, text, found) => {
  expect(await lines(text)).toEqual(found)
})

it.each([
  ['a reference to a vault', 'environ:\n  API_TOKEN: { op: "op://shop/api/token" }\n'],
  ['the file of a certificate', 'https:\n  key: live.key\n'],
  ['a hash', 'protect: { user: a, password: "$apr1$x$y" }\n'],
  ['host keys and the id of a key pair', 'one:\n  host_keys: [ssh-ed25519 AAAA]\n  made: { key: kraft-one }\n'],
  ['what is no YAML', 'environ: ['],
])('passes over %s', async (_, text) => {
  expect(await lines(text)).toEqual([])
})
