import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { appendFile, readFile, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Ask } from '../../../engine/ssh/question.js'
import { failureOf } from '../../rig/failure.js'
import { startFrontAgent, uint32, words } from '../../rig/front-agent.js'
import { logins } from '../../rig/logins.js'

const all = logins()
const { login } = all

async function makeKey(name: string, ...options: readonly string[]): Promise<string> {
  const file = `${all.sshd.folder}/${name}`
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-C', name, '-f', file, ...options])
  await appendFile(`${all.sshd.folder}/authorized_keys`, await readFile(`${file}.pub`))
  return file
}

describe('logging in', () => {
  it('takes the key of the agent', async () => {
    const socket = `${all.sshd.folder}/agent`
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    try {
      await expect.poll(() => execFileSync('sh', ['-c', `test -S ${socket} && echo up || true`]).toString()).toBe('up\n')
      execFileSync('ssh-add', ['-q', all.sshd.identity], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
      const lines = ['IdentitiesOnly no', `IdentityAgent ${socket}`, `IdentityFile ${all.sshd.folder}/absent`]
      await writeFile(`${all.sshd.folder}/agent.config`, lines.join('\n'))
      expect((await all.loginBy(`${all.sshd.folder}/agent.config`)).stdout).toBe('in\n')
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
    execFileSync('ssh-keygen', ['-q', '-s', all.sshd.identity, '-I', 'me', '-n', 'me', `${file}.pub`])
    expect((await login([`IdentityFile ${file}`])).stdout).toBe('in\n')
    const unknown = `${all.sshd.folder}/unknown`
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', unknown])
    execFileSync('ssh-keygen', ['-q', '-s', all.sshd.identity, '-I', 'me', '-n', 'me', `${unknown}.pub`])
    const told = await failureOf(login([`IdentityFile ${unknown}`]))
    expect(told.said).toContain(`${unknown}-cert.pub: certificates are not supported`)
  })

  it('names an encrypted key that nobody can be asked for', async () => {
    const file = await makeKey('sealed', '-N', 'sealed', '-a', '1')
    const told = await failureOf(login([`IdentityFile ${file}`]))
    expect(told).toMatchObject({ kind: 'unreachable', said: expect.stringContaining(`${file}: is encrypted`) })
  })

  it('does not ask for a passphrase where the server does not want the key', async () => {
    const file = `${all.sshd.folder}/unwanted`
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
    const before = await readFile(`${all.sshd.folder}/authorized_keys`)
    await writeFile(`${all.sshd.folder}/authorized_keys`, `${publicKey}\n`)
    expect((await login([`IdentityFile ${all.sshd.folder}/absent`])).stdout).toBe('in\n')
    await writeFile(`${all.sshd.folder}/authorized_keys`, before)
  })

  it('says that a security key is not supported and what to do, and takes the next key', async () => {
    const file = await writeSecurityKey('id_touch')
    // OpenSSH reads it, so that it is one.
    expect(execFileSync('ssh-keygen', ['-y', '-f', file]).toString()).toContain(securityKey.toString('base64'))
    const told = await failureOf(login([`IdentityFile ${file}`]))
    expect(told.said).toContain(`${file}: security keys (sk-ssh-ed25519@openssh.com) are not supported; put a plain key there`)
    expect((await login([`IdentityFile ${file}`, `IdentityFile ${all.sshd.identity}`])).stdout).toBe('in\n')
  })
})

describe('an agent', () => {
  it('that holds a certificate beside its key lets the key in', async () => {
    const file = await makeKey('held', '-N', '')
    certify(file)
    await withAgent(async (lines) => {
      execFileSync('ssh-add', ['-q', file], { env: agentAt(lines) })
      expect(execFileSync('ssh-add', ['-l'], { env: agentAt(lines) }).toString()).toContain('(ED25519-CERT)')
      expect((await login(lines)).stdout).toBe('in\n')
    })
  })

  it('whose certificate is all that would be let in is told apart, with what to do', async () => {
    const file = `${all.sshd.folder}/stranger`
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'stranger', '-f', file])
    certify(file)
    await appendFile(`${all.sshd.folder}/authorized_keys`, `cert-authority ${await publicOf(all.sshd.identity)}\n`)
    await withAgent(async (lines) => {
      execFileSync('ssh-add', ['-q', file], { env: agentAt(lines) })
      const told = await failureOf(login(lines))
      expect(told.said).toContain('tried agent: stranger')
      expect(told.said).toMatch(
        /agent: stranger: certificates \(ssh-ed25519-cert-v01@openssh.com\) are not supported; its plain key/,
      )
      expect((await login([...lines, `IdentityFile ${all.sshd.identity}`])).stdout).toBe('in\n')
    })
  })

  it('that holds security keys, and keys of types that nobody knows, lets the others in', async () => {
    const other = words('ssh-future@example.com', Buffer.alloc(40, 2))
    const plain = await makeKey('plain', '-N', '')
    await withAgent(async (lines) => {
      execFileSync('ssh-add', ['-q', plain], { env: agentAt(lines) })
      const before = [
        { blob: securityKey, comment: 'token' },
        { blob: other, comment: '' },
      ]
      const path = `${all.sshd.folder}/front`
      const front = await startFrontAgent(path, before, socketOf(lines))
      try {
        const there = ['IdentitiesOnly no', `IdentityAgent ${path}`, `IdentityFile ${all.sshd.folder}/absent`]
        const listed = await promisify(execFile)('ssh-add', ['-l'], { env: agentAt(there), timeout: 5_000 })
        expect(listed.stdout).toContain('(ED25519-SK)')
        expect((await login(there)).stdout).toBe('in\n')
        execFileSync('ssh-add', ['-q', '-D'], { env: agentAt(lines) })
        const { said } = await failureOf(login(there))
        expect(said).toContain(
          'agent: token: security keys (sk-ssh-ed25519@openssh.com) are not supported; put a plain key there',
        )
        expect(said).toContain('keys of type ssh-future@example.com are not supported')
      } finally {
        await front.stop()
      }
    })
  })

  it.each([
    ['hangs up', Buffer.alloc(0), 'it hung up'],
    ['refuses', Buffer.from([0, 0, 0, 1, 5]), 'it does not tell its keys'],
    ['cuts its list off', Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 3]), 'its list of keys is cut off'],
    ['is none', Buffer.from('SSH-2.0-what'), 'it does not answer as an agent does'],
  ])('that %s is no obstacle', async (_what, answer, why) => {
    const path = `${all.sshd.folder}/odd-agent`
    const server = createServer((socket) => socket.resume().end(answer)).listen(path)
    await once(server, 'listening')
    const lines = ['IdentitiesOnly no', `IdentityAgent ${path}`]
    expect((await login([...lines, `IdentityFile ${all.sshd.identity}`])).stdout).toBe('in\n')
    expect((await failureOf(login([...lines, `IdentityFile ${all.sshd.folder}/absent`]))).said).toContain(
      `the agent at ${path}: ${why}`,
    )
    server.close()
    await once(server, 'close')
  })

  it('is asked for the one key whose public half is named', async () => {
    const chosen = await makeKey('chosen', '-N', '')
    await withAgent(async (lines) => {
      execFileSync('ssh-add', ['-q', chosen], { env: agentAt(lines) })
      await rename(chosen, `${chosen}.away`)
      const only = lines.filter((line) => !line.startsWith('Identit') || line.startsWith('IdentityAgent'))
      // Both ways in which people write it.
      for (const name of [chosen, `${chosen}.pub`])
        expect((await login([...only, `IdentityFile ${name}`, 'IdentitiesOnly yes'])).stdout, name).toBe('in\n')
      execFileSync('ssh-add', ['-q', '-D'], { env: agentAt(lines) })
      const told = await failureOf(login([...only, `IdentityFile ${chosen}.pub`, 'IdentitiesOnly yes']))
      expect(told.said).toContain(`${chosen}.pub: only its public half is here, and no agent holds the private one`)
    })
  })
})

const securityKey = words('sk-ssh-ed25519@openssh.com', Buffer.alloc(32, 1), 'ssh:')

/** Writes the file that `ssh-keygen -t ed25519-sk` writes, without a token: see PROTOCOL.u2f and PROTOCOL.key of OpenSSH. */
async function writeSecurityKey(name: string): Promise<string> {
  const secret = Buffer.concat([uint32(7), uint32(7), securityKey, Buffer.from([1]), words('handle', '', name)])
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1))
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    words('none', 'none', ''),
    uint32(1),
    words(securityKey, Buffer.concat([secret, padding])),
  ])
  const path = `${all.sshd.folder}/${name}`
  const rows = file.toString('base64').match(/.{1,70}/g) ?? []
  await writeFile(path, ['-----BEGIN OPENSSH PRIVATE KEY-----', ...rows, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'), {
    mode: 0o600,
  })
  return path
}

/** Signs a key with that of the test as the authority. */
function certify(file: string): void {
  execFileSync('ssh-keygen', ['-q', '-s', all.sshd.identity, '-I', 'me', '-n', all.sshd.record.user, `${file}.pub`])
}

async function publicOf(file: string): Promise<string> {
  return execFileSync('ssh-keygen', ['-y', '-f', file]).toString().trim()
}

const socketOf = (lines: readonly string[]) =>
  lines.find((line) => line.startsWith('IdentityAgent '))?.slice('IdentityAgent '.length) ?? ''
const agentAt = (lines: readonly string[]) => ({ ...process.env, SSH_AUTH_SOCK: socketOf(lines) })

/** Runs with a real ssh-agent; the lines make it the only one to have keys. */
async function withAgent(body: (lines: readonly string[]) => Promise<void>): Promise<void> {
  const path = `${all.sshd.folder}/agent`
  const agent = spawn('ssh-agent', ['-D', '-a', path], { stdio: 'ignore' })
  try {
    await expect.poll(() => existsSync(path)).toBe(true)
    await body(['IdentitiesOnly no', `IdentityAgent ${path}`, `IdentityFile ${all.sshd.folder}/absent`])
  } finally {
    agent.kill()
    await once(agent, 'exit')
  }
}
