import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Makes a key pair in a folder; gives its public half. */
export async function newKey(folder: string, name: string): Promise<string> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `${name}@test`, '-f', join(folder, name)])
  return readFile(join(folder, `${name}.pub`), 'utf8')
}

/** Logs in on loopback as OpenSSH does, with the key `id` of a folder, and only where the host has one of these keys. */
export async function sayHello(folder: string, port: number, hostKeys: readonly string[]): Promise<string> {
  const known = join(folder, 'known_hosts')
  await writeFile(known, hostKeys.map((key) => `[127.0.0.1]:${port} ${key}\n`).join(''))
  const options = ['GlobalKnownHostsFile=/dev/null', 'StrictHostKeyChecking=yes', 'IdentitiesOnly=yes', 'BatchMode=yes']
  const flags = [`UserKnownHostsFile=${known}`, ...options].flatMap((option) => ['-o', option])
  const place = ['-i', join(folder, 'id'), '-p', String(port), '127.0.0.1', 'echo hello']
  return (await run('ssh', ['-F', 'none', ...flags, ...place])).stdout
}
