import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { reveal, secret } from '../../../../engine/shell/secret.js'
import { generateHostKey } from '../../../../engine/ssh/key-pair.js'
import { userData } from '../../../../recipes/providers/cloud/user-data.js'

const { publicKey, privateKey } = generateHostKey()
const values = {
  node: 'one',
  login: 'admin',
  port: 22,
  publicKey: 'ssh-ed25519 AAAA "me" # at: home',
  hostKey: { public: publicKey, private: secret(privateKey) },
}

test('is cloud-config that gives the node exactly its host key and the user a way in', () => {
  const text = reveal(userData(values))
  expect(text).toMatch(/^#cloud-config\n/)
  expect(parse(text)).toEqual({
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: privateKey, ed25519_public: publicKey },
    ssh_pwauth: false,
    ssh_authorized_keys: ['ssh-ed25519 AAAA "me" # at: home'],
    user: 'admin',
    bootcmd: [expect.stringContaining('169.254.169.254')],
  })
})

test('lets root in where root is the login', () => {
  const told: unknown = parse(reveal(userData({ ...values, login: 'root' })))
  expect(told).toMatchObject({ disable_root: false })
  expect(told).not.toHaveProperty('user')
})

test('moves sshd to the port of the settings', () => {
  expect(parse(reveal(userData({ ...values, port: 2222 })))).toMatchObject({
    write_files: [{ path: '/etc/ssh/sshd_config.d/kraftwerk.conf', content: 'Port 2222\n' }],
  })
})

test('stays below the 16 KB that EC2 takes', () => {
  expect(Buffer.byteLength(reveal(userData(values)))).toBeLessThan(16_384)
})

test('cannot be printed, for it holds the private host key', () => {
  expect(String(userData(values))).toBe('[secret]')
})
