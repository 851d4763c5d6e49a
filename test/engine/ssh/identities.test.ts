import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../../engine/ssh/connect.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import type { Ask } from '../../../engine/ssh/question.js'
import { failureOf } from '../../rig/failure.js'
import { type Sshd, startSshd } from '../../rig/sshd.js'

let sshd: Sshd
const opened: Connection[] = []

beforeAll(async () => {
  sshd = await startSshd()
  process.env.HOME = sshd.folder
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()))
})
afterAll(() => sshd.stop())

async function login(lines: readonly string[], ask?: Ask) {
  const configFile = `${sshd.folder}/config.${opened.length}.${Math.random()}`
  await writeFile(configFile, [...lines, 'Host *', 'IdentitiesOnly yes', 'UserKnownHostsFile /dev/null', ''].join('\n'))
  const connection = connect({ record: sshd.record, configFile, ...(ask && { ask }) })
  opened.push(connection)
  return connection.capture('echo in')
}

async function makeKey(name: string, ...options: readonly string[]): Promise<string> {
  const file = `${sshd.folder}/${name}`
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-C', name, '-f', file, ...options])
  await appendFile(`${sshd.folder}/authorized_keys`, await readFile(`${file}.pub`))
  return file
}

describe('logging in', () => {
  it('takes the key of the agent', async () => {
    const socket = `${sshd.folder}/agent`
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    try {
      await expect.poll(() => execFileSync('sh', ['-c', `test -S ${socket} && echo up || true`]).toString()).toBe('up\n')
      execFileSync('ssh-add', ['-q', sshd.identity], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
      const lines = ['IdentitiesOnly no', `IdentityAgent ${socket}`, `IdentityFile ${sshd.folder}/absent`]
      await writeFile(`${sshd.folder}/agent.config`, lines.join('\n'))
      const connection = connect({ record: sshd.record, configFile: `${sshd.folder}/agent.config` })
      opened.push(connection)
      expect((await connection.capture('echo in')).stdout).toBe('in\n')
    } finally {
      agent.kill()
      await once(agent, 'exit')
    }
  })

  it('asks for a passphrase once in a process, again when it was wrong', async () => {
    const file = await makeKey('locked', '-N', 'open sesame', '-a', '1')
    const asked: string[] = []
    const ask: Ask = async ({ message }) => (asked.push(message) === 1 ? 'wrong' : 'open sesame')
    const outputs = await Promise.all([login([`IdentityFile ${file}`], ask), login([`IdentityFile ${file}`], ask)])
    expect(outputs.map(({ stdout }) => stdout)).toEqual(['in\n', 'in\n'])
    expect(asked).toEqual([`Passphrase for ${file}`, `That was not it. Passphrase for ${file}`])
  })

  it.each([
    ['ed25519', ''],
    ['ecdsa', ''],
    ['ecdsa -b 384', ''],
    ['ecdsa -b 521', ''],
    ['ecdsa', 'locked'],
    ['rsa', ''],
    ['rsa', 'locked'],
  ])('takes a key file of %s with the passphrase "%s"', async (type, passphrase) => {
    const file = await makeKey(`${type.replaceAll(' ', '')}-${passphrase}`, '-t', ...type.split(' '), '-N', passphrase, '-a', '1')
    expect((await login([`IdentityFile ${file}`], async () => passphrase)).stdout).toBe('in\n')
  })

  it('says that a certificate is not supported, and takes its plain key all the same', async () => {
    const file = await makeKey('certified', '-N', '')
    execFileSync('ssh-keygen', ['-q', '-s', sshd.identity, '-I', 'me', '-n', 'me', `${file}.pub`])
    expect((await login([`IdentityFile ${file}`])).stdout).toBe('in\n')
    const unknown = `${sshd.folder}/unknown`
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', unknown])
    execFileSync('ssh-keygen', ['-q', '-s', sshd.identity, '-I', 'me', '-n', 'me', `${unknown}.pub`])
    const told = await failureOf(login([`IdentityFile ${unknown}`]))
    expect(told.said).toContain(`${unknown}-cert.pub: certificates are not supported`)
  })

  it('names an encrypted key that nobody can be asked for', async () => {
    const file = await makeKey('sealed', '-N', 'sealed', '-a', '1')
    const told = await failureOf(login([`IdentityFile ${file}`]))
    expect(told).toMatchObject({ kind: 'unreachable', said: expect.stringContaining(`${file}: is encrypted`) })
  })

  it('does not ask for a passphrase where the server does not want the key', async () => {
    const file = `${sshd.folder}/unwanted`
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'unwanted', '-a', '1', '-f', file])
    const told = await failureOf(login([`IdentityFile ${file}`], () => Promise.reject(new Error('asked'))))
    expect(told.said).toContain(`tried ${file}`)
  })

  it('opens an old RSA key in PEM', async () => {
    const file = await makeKey('old', '-t', 'rsa', '-m', 'PEM', '-N', '')
    expect((await login([`IdentityFile ${file}`])).stdout).toBe('in\n')
  })

  it("takes kraft's own key as the last", async () => {
    const { loginKey } = await import('../../../engine/ssh/keys.js')
    const { publicKey } = await loginKey()
    const before = await readFile(`${sshd.folder}/authorized_keys`)
    await writeFile(`${sshd.folder}/authorized_keys`, `${publicKey}\n`)
    expect((await login([`IdentityFile ${sshd.folder}/absent`])).stdout).toBe('in\n')
    await writeFile(`${sshd.folder}/authorized_keys`, before)
  })

  it('says that a security key is not supported', async () => {
    const file = `${sshd.folder}/id_touch`
    const type = 'sk-ssh-ed25519@openssh.com'
    const words = [Buffer.from(type), Buffer.alloc(32, 1), Buffer.from('ssh:')]
    const blob = Buffer.concat(words.flatMap((word) => [Buffer.from([0, 0, 0, word.length]), word]))
    await writeFile(`${file}.pub`, `${type} ${blob.toString('base64')} me\n`)
    await writeFile(file, 'a private key that stays in the token\n')
    expect((await failureOf(login([`IdentityFile ${file}`]))).said).toContain(`security keys (${type}) are not supported`)
  })
})

describe('a jump host', () => {
  it('is gone through, also in a chain, its own host key verified', async () => {
    const jump = await startSshd()
    try {
      const alias = (name: string): string[] => [
        `Host ${name}`,
        '  HostName 127.0.0.1',
        `  Port ${jump.port}`,
        `  IdentityFile ${jump.identity}`,
        `  UserKnownHostsFile ${jump.knownHosts}`,
      ]
      await writeFile(jump.knownHosts, `[127.0.0.1]:${jump.port} ${jump.hostKeys[0]}\n`)
      const lines = [
        ...alias('first'),
        ...alias('second'),
        'Host one',
        '  ProxyJump first,second',
        `  IdentityFile ${sshd.identity}`,
      ]
      expect((await login(lines)).stdout).toBe('in\n')
      expect((await jump.log()).match(/Accepted publickey/g)).toHaveLength(2)
      await writeFile(jump.knownHosts, '')
      const told = await failureOf(login(lines))
      expect(told).toMatchObject({ kind: 'host-key', said: expect.stringMatching(/^first: /) })
    } finally {
      await Promise.all(opened.splice(0).map((connection) => connection.close()))
      await jump.stop()
    }
  })

  it('can be a command', async () => {
    const proxy = `${process.execPath} -e "const s=require('net').connect(%p,'%h');process.stdin.pipe(s).pipe(process.stdout)"`
    expect((await login([`ProxyCommand ${proxy}`, `IdentityFile ${sshd.identity}`])).stdout).toBe('in\n')
  })
})
