import { mkdir } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { writeAtomic } from '../files/atomic.js'
import { readIfThere } from '../files/read-if-there.js'

const mark = '# kraft: ssh knows its nodes by name'

/** The file in OpenSSH's format that kraft writes of its nodes. */
export function nodesConfig(): string {
  return join(homedir(), '.kraftwerk', 'ssh_config')
}

/** Their host keys, each under the alias that {@link nodesConfig} gives it. */
export function nodesKnownHosts(): string {
  return join(homedir(), '.kraftwerk', 'known_hosts')
}

/** The user's own configuration of OpenSSH. */
export function userConfig(): string {
  return join(homedir(), '.ssh', 'config')
}

/** The line by which OpenSSH reads {@link nodesConfig}. */
export function includeLine(): string {
  // ssh takes ~ from the password file, kraft its home from the environment.
  const path = homedir() === userInfo().homedir ? '~/.kraftwerk/ssh_config' : nodesConfig()
  return `Include ${path.includes(' ') ? `"${path}"` : path}`
}

/** Whether the value of an Include is kraft's own file. */
export function isNodesInclude(value: string): boolean {
  const path = value.replace(/^"(.*)"$/, '$1')
  return path === nodesConfig() || path === '~/.kraftwerk/ssh_config'
}

/** Whether the user's configuration includes kraft's, by our line or one of the user's own. */
export async function isIncluded(): Promise<boolean> {
  const text = (await readIfThere(userConfig())) ?? ''
  return text.split('\n').some((row) => isNodesInclude(/^\s*include(?:\s*=\s*|\s+)(.*?)\s*$/i.exec(row)?.[1] ?? ''))
}

/**
 * Puts our line, under a line that marks it, before all else in ~/.ssh/config: further down it would belong to the Host block above it.
 * A link stays a link, and all other lines stay as they are.
 */
export async function include(): Promise<void> {
  const file = userConfig()
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const before = (await readIfThere(file)) ?? ''
  await writeAtomic(file, `${mark}\n${includeLine()}\n${before === '' ? '' : `\n${before}`}`, { mode: 0o600 })
}
