import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { generateHostKey } from '../../../engine/ssh/key-pair.js'
import { addKnownHost, hostName, judge, parseKnownHosts, readKnownHosts, speaksOf } from '../../../engine/ssh/known-hosts.js'
import { fingerprint, fromLine, type PublicKey } from '../../../engine/ssh/public-key.js'

const mine = keyLine()
const other = keyLine()
const ecdsa =
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg='

function keyLine(): string {
  return generateHostKey().publicKey.split(' ').slice(0, 2).join(' ')
}

function keyOf(line: string): PublicKey {
  const key = fromLine(line)
  if (key === undefined) throw new Error(`${line} is no key`)
  return key
}

function verdict(text: string, host: string, key = mine) {
  return judge(parseKnownHosts(text, 'known_hosts'), host, keyOf(key))
}

describe('known_hosts', () => {
  it.each([
    ['a name', `one.example ${mine}`, 'one.example'],
    ['one of several names', `one,two.example,10.0.0.1 ${mine}`, '10.0.0.1'],
    ['a name in capitals', `One.Example ${mine}`, 'one.example'],
    ['a name and port', `[one]:2222 ${mine}`, '[one]:2222'],
    ['a plain name where the port is another', `one ${mine}`, '[one]:2222'],
    ['a star', `*.example ${mine}`, 'web.a.example'],
    ['question marks', `10.0.0.?? ${mine}`, '10.0.0.42'],
    ['a pattern with what it excludes', `*.example,!bad.example ${mine}`, 'good.example'],
    ['a line with a comment, between others', `# nodes\n\none ${other}\n  one ${mine} me@laptop\n`, 'one'],
    ['a line that ends like those of Windows', `one ${mine}\r\n`, 'one'],
  ])('knows a key by %s', (_, text, host) => {
    expect(verdict(text, host).kind).toBe('known')
  })

  it.each([
    ['a pattern that excludes the host', `!bad.example,*.example ${mine}`, 'bad.example'],
    ['a name that only looks alike', `one.example ${mine}`, 'onexexample'],
    ['another port', `[one]:2222 ${mine}`, '[one]:22022'],
    ['a name and port where the port is 22', `[one]:2222 ${mine}`, 'one'],
    ['a key that is cut off', `one ${mine.slice(0, 40)}`, 'one'],
    ['a type that does not fit the key', `one ssh-rsa ${mine.split(' ')[1]}`, 'one'],
    ['a marker that nobody knows', `@new-marker one ${mine}`, 'one'],
    ['a comment', `#one ${mine}`, 'one'],
  ])('does not know a key by %s', (_, text, host) => {
    expect(verdict(text, host).kind).toBe('new')
  })

  it('knows what ssh-keygen has hashed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kraftwerk-hashed-'))
    const file = join(folder, 'known_hosts')
    try {
      writeFileSync(file, `one.example ${mine}\n[two]:2222 ${other}\n`)
      execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' })
      const text = readFileSync(file, 'utf8')
      expect(text).not.toContain('one.example')
      expect(verdict(text, 'one.example').kind).toBe('known')
      expect(verdict(text, '[two]:2222', other).kind).toBe('known')
      expect(verdict(text, 'three').kind).toBe('new')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('finds the lines that ssh-keygen finds, for names, ports, patterns and hashes in every mixture', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kraftwerk-lookup-'))
    const file = join(folder, 'known_hosts')
    const fields = ['one', '*', '*.example', '!bad.example,*.example', '[one]:2222', '[*]:2222', '10.0.0.?', 'one,TWO', '*,!one']
    const hosts = ['one', 'two', 'bad.example', 'good.example', '[one]:2222', '[two]:2222', '10.0.0.7', '10.0.0.77', '::1']
    try {
      writeFileSync(file, ['one', '[one]:2222', '10.0.0.7', '::1'].map((host) => `${host} ${mine}\n`).join(''))
      execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' })
      writeFileSync(file, readFileSync(file, 'utf8') + fields.map((field) => `${field} ${mine}\n`).join(''))
      for (const host of hosts) {
        const said = spawnSync('ssh-keygen', ['-F', host, '-f', file], { encoding: 'utf8' }).stdout
        const theirs = [...said.matchAll(/found: line (\d+)/g)].map(([, line]) => Number(line))
        const ours = parseKnownHosts(readFileSync(file, 'utf8'), file).filter((entry) => speaksOf(entry, host))
        expect([host, ours.map(({ line }) => line)]).toEqual([host, theirs])
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('says at which line another key stands', () => {
    expect(verdict(`two ${mine}\none ${other}\n`, 'one')).toMatchObject({
      kind: 'changed',
      entry: { file: 'known_hosts', line: 2 },
    })
  })

  it('takes a key of another type for a new one and says which it knows', () => {
    const found = verdict(`one ${ecdsa}`, 'one')
    expect(found).toMatchObject({ kind: 'new', otherTypes: [{ line: 1 }] })
  })

  it('refuses a revoked key though another line knows it', () => {
    expect(verdict(`one ${mine}\n@revoked * ${mine}`, 'one')).toMatchObject({ kind: 'revoked', entry: { line: 2 } })
    expect(verdict(`one ${mine}\n@revoked * ${other}`, 'one').kind).toBe('known')
  })

  it('does not take the key of a certificate authority for a host key', () => {
    expect(verdict(`@cert-authority *.example ${mine}`, 'one.example')).toMatchObject({ kind: 'new', authorities: [{ line: 1 }] })
  })

  it('names hosts as OpenSSH does', () => {
    expect([hostName('One', 22), hostName('one', 2222), hostName('fe80::1', 2222)]).toEqual([
      'one',
      '[one]:2222',
      '[fe80::1]:2222',
    ])
  })

  it('shows the fingerprint that ssh-keygen shows', () => {
    const shown = execFileSync('ssh-keygen', ['-lf', '-'], { input: ecdsa, encoding: 'utf8' })
    expect(shown).toContain(fingerprint(keyOf(ecdsa)))
  })
})

describe('reading', () => {
  it('follows a file that changes to another of the same size', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kraftwerk-known-'))
    const file = join(folder, 'known_hosts')
    try {
      for (const line of [mine, other, mine]) {
        writeFileSync(file, `one ${line}\n`)
        expect(judge(await readKnownHosts([file]), 'one', keyOf(line)).kind).toBe('known')
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('adding a host', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kraftwerk-known-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('makes the file for its owner alone, and ssh-keygen finds the host in it', async () => {
    const file = join(folder, 'ssh', 'known_hosts')
    await addKnownHost(file, '[one]:2222', keyOf(mine), false)
    await addKnownHost(file, 'two', keyOf(other), true)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'ssh')).mode & 0o777).toBe(0o700)
    for (const host of ['[one]:2222', 'two'])
      expect(execFileSync('ssh-keygen', ['-F', host, '-f', file], { encoding: 'utf8' })).toContain('ssh-ed25519')
    expect(readFileSync(file, 'utf8')).not.toContain('two')
    expect(judge(await readKnownHosts([file, join(folder, 'absent')]), 'two', keyOf(other)).kind).toBe('known')
  })

  it('does not join a last line that has no end', async () => {
    const file = join(folder, 'known_hosts')
    writeFileSync(file, `one ${mine}`)
    await addKnownHost(file, 'two', keyOf(other), false)
    expect(parseKnownHosts(readFileSync(file, 'utf8'), file)).toHaveLength(2)
  })
})
