import { execFileSync } from 'node:child_process'
import { appendFile, chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../../engine/ssh/connect.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { generateHostKey } from '../../../engine/ssh/key-pair.js'
import type { Ask, Question } from '../../../engine/ssh/question.js'
import { failureOf } from '../../rig/failure.js'
import { type Sshd, startSshd } from '../../rig/sshd.js'

let sshd: Sshd
let name: string
const opened: Connection[] = []

beforeAll(async () => {
  sshd = await startSshd([], 'rsa')
  process.env.HOME = sshd.folder
  name = `[127.0.0.1]:${sshd.port}`
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()))
  await rm(sshd.knownHosts, { force: true })
})
afterAll(() => sshd.stop())

function login(hostKeys: readonly string[], ask?: Ask, configFile = sshd.configFile) {
  const connection = connect({ record: { ...sshd.record, host_keys: hostKeys }, configFile, ...(ask && { ask }) })
  opened.push(connection)
  return connection.capture('echo in')
}

async function know(...lines: readonly string[]): Promise<void> {
  await appendFile(sshd.knownHosts, lines.map((line) => `${line}\n`).join(''))
}

const stranger = generateHostKey().publicKey

describe('a node whose host keys are remembered', () => {
  it('is let in by any of them, and by their type alone', async () => {
    expect((await login([sshd.hostKeys[0] ?? ''])).stdout).toBe('in\n')
    expect((await login([sshd.hostKeys[1] ?? ''])).stdout).toBe('in\n')
  })

  it('is refused when it shows another one, with both fingerprints', async () => {
    const told = await failureOf(login([stranger]))
    expect(told.kind).toBe('host-key')
    expect(told.said.match(/SHA256:/g)).toHaveLength(2)
    expect(told.next).toContain('nodes.yaml')
  })

  it('is let in although what kraft wrote for ssh is older', async () => {
    const older = join(sshd.folder, '.kraftwerk', 'known_hosts')
    const config = join(sshd.folder, 'with-names')
    await mkdir(dirname(older), { recursive: true })
    await writeFile(older, `one.kraftwerk ${stranger}\n`)
    const rows = [
      'Host one',
      'HostKeyAlias one.kraftwerk',
      `UserKnownHostsFile ${older}`,
      'StrictHostKeyChecking yes',
      'Match all',
    ]
    await writeFile(config, [...rows, await readFile(sshd.configFile, 'utf8')].join('\n'))
    expect((await login([sshd.hostKeys[0] ?? ''], undefined, config)).stdout).toBe('in\n')
    expect((await failureOf(login([], undefined, config))).kind).toBe('host-key')
  })

  it('is refused when it has none of a remembered type', async () => {
    const ecdsa =
      'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg='
    expect((await failureOf(login([ecdsa]))).kind).toBe('host-key')
  })

  it('is refused when what is remembered is no key', async () => {
    expect((await failureOf(login(['ssh-ed25519 nonsense']))).kind).toBe('host-key')
  })

  it('is refused where known_hosts disagrees', async () => {
    await know(`${name} ${stranger}`)
    const told = await failureOf(login(sshd.hostKeys))
    expect(told.kind).toBe('host-key')
    expect(told.said).toContain(`${sshd.knownHosts}:1`)
    expect(told.next).toContain(`ssh-keygen -R '${name}'`)
  })

  it('is refused where known_hosts revokes its key', async () => {
    await know(`@revoked * ${sshd.hostKeys[0]}`)
    expect((await failureOf(login(sshd.hostKeys))).said).toContain('revoked')
  })
})

describe('a node without remembered host keys', () => {
  it('is let in by known_hosts, whichever of its keys that knows', async () => {
    await know(`${name} ${sshd.hostKeys[1]}`)
    expect((await login([])).stdout).toBe('in\n')
  })

  it('is refused without a terminal, with the fingerprint and what to run', async () => {
    const told = await failureOf(login([]))
    expect(told.kind).toBe('host-key')
    expect(told.said).toMatch(/SHA256:\S{43} \(ED25519\)/)
    expect(told.next).toContain(`ssh -p ${sshd.port} `)
  })

  it('is a question in a terminal, asked once for all who wait; yes is remembered', async () => {
    const asked: Question[] = []
    const ask: Ask = async (question) => asked.push(question) > 0
    await Promise.all([login([], ask), login([], ask), login([], ask)])
    expect(asked).toHaveLength(1)
    expect(asked[0]?.message).toMatch(/SHA256:\S{43}/)
    expect((await stat(sshd.knownHosts)).mode & 0o777).toBe(0o600)
    expect((await login([])).stdout).toBe('in\n')
  })

  it('is refused when the answer is no, and nothing is remembered', async () => {
    expect((await failureOf(login([], async () => false))).kind).toBe('host-key')
    await expect(stat(sshd.knownHosts)).rejects.toThrow('ENOENT')
  })

  it('is refused without a question when its key changed, with file and line', async () => {
    await know('# mine', `${name} ${stranger}`)
    const told = await failureOf(login([], async () => true))
    expect(told.said).toContain(`${sshd.knownHosts}:2`)
    expect(told.said.match(/SHA256:/g)).toHaveLength(2)
  })

  it('says that a certificate authority cannot vouch for it', async () => {
    await know(`@cert-authority * ${stranger}`)
    expect((await failureOf(login([]))).said).toContain('certificates')
  })

  it('is refused by its certificate alone, with the way to the keys that OpenSSH vouches for', async () => {
    const authority = `${sshd.folder}/authority`
    const host = `${sshd.folder}/certified`
    for (const file of [authority, host]) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
    execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', 'one', '-h', '-n', '127.0.0.1', `${host}.pub`])
    const certified = await startSshd([`HostKey ${host}`, `HostCertificate ${host}-cert.pub`])
    try {
      const place = `[127.0.0.1]:${certified.port}`
      await writeFile(certified.knownHosts, `@cert-authority ${place} ${await readFile(`${authority}.pub`, 'utf8')}`)
      // OpenSSH lets it in, and what kraft advises gives the keys that then let it in here.
      const plain = ['-F', certified.configFile, '-p', String(certified.port), '-o', 'BatchMode=yes', '127.0.0.1']
      const keys = execFileSync('ssh', [...plain, `cat ${host}.pub`], { encoding: 'utf8' })
      const open = (host_keys: readonly string[]) => {
        const connection = connect({ record: { ...certified.record, host_keys }, configFile: certified.configFile })
        opened.push(connection)
        return connection.capture('echo in')
      }
      const told = await failureOf(open([]))
      expect(told).toMatchObject({
        kind: 'host-key',
        said: expect.stringContaining('certificates for it, which kraft cannot check'),
      })
      expect(told.next).toContain("cat '/etc/ssh/ssh_host_*_key.pub'")
      expect((await open([keys.trim()])).stdout).toBe('in\n')
    } finally {
      await certified.stop()
    }
  })

  it('is refused without a question where ssh_config is strict', async () => {
    const strict = `${sshd.folder}/strict.config`
    await writeFile(strict, `StrictHostKeyChecking yes\n${await readFile(sshd.configFile, 'utf8')}`)
    await chmod(strict, 0o600)
    const told = await failureOf(login([], async () => true, strict))
    expect(told).toMatchObject({ kind: 'host-key', next: expect.stringContaining('StrictHostKeyChecking yes forbids to ask') })
  })
})
