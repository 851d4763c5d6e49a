import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { generateHostKey } from '../../../engine/ssh/key-pair.js'
import { loginKey } from '../../../engine/ssh/keys.js'
import { failureOf } from '../../rig/failure.js'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kraftwerk-keys-'))
  process.env.HOME = home
})
afterEach(() => rmSync(home, { recursive: true }))

function fingerprintOf(file: string): string {
  return execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' }).split(' ')[1] ?? ''
}

describe('a host key', () => {
  it('is one that OpenSSH reads, each time', () => {
    for (let round = 0; round < 20; round++) {
      const { publicKey, privateKey } = generateHostKey('kraft one')
      const file = join(home, `key${round}`)
      writeFileSync(file, privateKey, { mode: 0o600 })
      expect(execFileSync('ssh-keygen', ['-yf', file], { encoding: 'utf8' }).trim()).toBe(publicKey)
    }
  })
})

describe('the key to log in with', () => {
  it('is the one of the pubkey setting', async () => {
    writeFileSync(join(home, 'work.pub'), `${generateHostKey('work').publicKey}\n`)
    const { publicKey, file } = await loginKey({ pubkey: '~/work.pub' })
    expect([publicKey.split(' ')[2], file]).toEqual(['work', join(home, 'work.pub')])
  })

  it.each([
    ['is missing', undefined, 'cannot be read'],
    ['is a private key', generateHostKey().privateKey, 'private key'],
    ['is something else', 'hello', 'no public key'],
  ])('is refused where the file of the pubkey setting %s', async (_, text, said) => {
    if (text !== undefined) writeFileSync(join(home, 'odd'), text)
    const told = await failureOf(loginKey({ pubkey: join(home, 'odd') }))
    expect(told).toMatchObject({ kind: 'setting', said: expect.stringContaining(said) })
  })

  it('is the first of your own', async () => {
    mkdirSync(join(home, '.ssh'))
    for (const name of ['id_rsa', 'id_ecdsa'])
      writeFileSync(join(home, '.ssh', `${name}.pub`), `${generateHostKey(name).publicKey}\n`)
    expect((await loginKey()).publicKey).toContain('id_ecdsa')
  })

  it("is kraft's own where you have none, made once, for you alone", async () => {
    const made = await Promise.all([loginKey(), loginKey(), loginKey()])
    expect(new Set(made.map(({ publicKey }) => publicKey)).size).toBe(1)
    const file = join(home, '.kraftwerk', 'id_ed25519')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(home, '.kraftwerk')).mode & 0o777).toBe(0o700)
    expect(made[0]?.file).toBe(`${file}.pub`)
    expect(readFileSync(`${file}.pub`, 'utf8').trim()).toBe(made[0]?.publicKey)
    expect(fingerprintOf(file)).toBe(fingerprintOf(`${file}.pub`))
    expect((await loginKey()).publicKey).toBe(made[0]?.publicKey)
  })
})
