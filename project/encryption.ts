import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { KraftError } from '../engine/errors/failure.js'

const magic = Buffer.from('age-encryption.org/')

/** Whether a file that begins so was encrypted by age. */
export function isEncrypted(head: Buffer): boolean {
  return head.subarray(0, magic.length).equals(magic)
}

/**
 * What a stream holds, encrypted to each of these recipients (`age1…`): any one of their keys opens it, kraft's or by
 * `age --decrypt`.
 *
 * @throws KraftError `usage` where one is no recipient.
 * @example await encrypted(bundle, ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'])
 */
export async function encrypted(source: Readable, recipients: readonly string[]): Promise<Readable> {
  const encrypter = await encrypterFor(recipients)
  return Readable.fromWeb((await encrypter.encrypt(bytesOf(source))) as ReadableStream<Uint8Array>)
}

/** Fails at once where one of these is no recipient of age: before a node is asked for anything. */
export async function requireRecipients(recipients: readonly string[]): Promise<void> {
  if (recipients.length > 0) await encrypterFor(recipients)
}

async function encrypterFor(recipients: readonly string[]) {
  const { Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient)
    } catch (error) {
      // A key that opens bundles must not stand in a message.
      const shown = recipient.startsWith('age1') ? `"${recipient}" is` : 'That is'
      throw new KraftError(
        {
          kind: 'usage',
          message: `${shown} no recipient of age`,
          next: 'A recipient begins with age1: the public key that age-keygen prints',
        },
        error,
      )
    }
  }
  return encrypter
}

/**
 * What an encrypted stream holds, opened with the keys of a file as age-keygen writes it. `name` is for messages.
 *
 * @throws KraftError `setting` where none of the keys opens it; the stream fails where it is damaged.
 */
export async function decrypted(source: Readable, identities: string, name: string): Promise<Readable> {
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  const next = 'Name the file that age-keygen has written with the key of one of its recipients: --identity key.txt'
  const keys = (
    await readFile(identities, 'utf8').catch((error: unknown) => {
      throw new KraftError(
        { kind: 'setting', place: { file: identities }, message: 'This file of keys can not be read', next },
        error,
      )
    })
  )
    .split('\n')
    .map((row) => row.trim())
    .filter((row) => row !== '' && !row.startsWith('#'))
  try {
    for (const key of keys) decrypter.addIdentity(key)
  } catch (error) {
    throw new KraftError(
      {
        kind: 'setting',
        place: { file: identities },
        message: 'This is no file of age keys',
        next: 'Make one: age-keygen -o key.txt',
      },
      error,
    )
  }
  try {
    return Readable.fromWeb((await decrypter.decrypt(bytesOf(source))) as ReadableStream<Uint8Array>)
  } catch (error) {
    throw new KraftError(
      { kind: 'setting', place: { file: name }, message: `None of the keys in ${identities} opens this bundle`, next },
      error,
    )
  }
}

// The library knows the browser's kind of stream, which is the same.
function bytesOf(source: Readable): globalThis.ReadableStream<Uint8Array> {
  return Readable.toWeb(source) as unknown as globalThis.ReadableStream<Uint8Array>
}
