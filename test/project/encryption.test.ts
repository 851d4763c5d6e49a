import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { beforeEach, expect, it } from 'vitest'
import { decrypted, encrypted, isEncrypted, requireRecipients } from '../../project/encryption.js'
import { failureOf } from '../rig/failure.js'
import { freshHome } from '../rig/home.js'

const home = freshHome()
const content = Buffer.alloc(300_000, 'rows\n')
let keys: string
let recipient: string
beforeEach(async () => {
  const key = await generateX25519Identity()
  recipient = await identityToRecipient(key)
  keys = join(home.home, 'key.txt')
  await writeFile(keys, `# created: today\n# public key: ${recipient}\n${key}\n`)
})
const other = async () => identityToRecipient(await generateX25519Identity())
const sealed = async (...recipients: string[]) => buffer(await encrypted(Readable.from([content]), recipients))
const open = async (bytes: Buffer) => buffer(await decrypted(Readable.from([bytes]), keys, 'a.bundle'))

it('what was encrypted to several is opened by any one of their keys', async () => {
  const bytes = await sealed(await other(), recipient)
  expect([isEncrypted(bytes), isEncrypted(content), bytes.includes('rows')]).toEqual([true, false, false])
  expect((await open(bytes)).equals(content)).toBe(true)
})

it('what is encrypted to others, cut off or changed does not come out whole', async () => {
  expect((await failureOf(sealed(await other()).then(open))).said).toContain(`None of the keys in ${keys} opens this bundle`)
  const bytes = await sealed(recipient)
  await expect(open(bytes.subarray(0, 200_000))).rejects.toThrow()
  bytes[150_000] = (bytes[150_000] ?? 0) ^ 1
  await expect(open(bytes)).rejects.toThrow()
})

it('a wrong recipient is refused at once, and a key that opens bundles is not repeated', async () => {
  expect((await failureOf(requireRecipients(['age1wrong']))).said).toContain('"age1wrong" is no recipient of age')
  const secret = await failureOf(requireRecipients(['AGE-SECRET-KEY-1QQQ']))
  expect([secret.said, secret.said.includes('QQQ')]).toEqual([expect.stringContaining('That is no recipient of age'), false])
  await writeFile(keys, 'not a key\n')
  expect((await failureOf(sealed(recipient).then(open))).said).toContain('This is no file of age keys')
})
