import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { KraftError } from '../../../engine/errors/failure.js'
import type { NodeState } from '../../../engine/node/provider.js'
import { missing } from '../local/missing.js'
import { type ProgramOptions, runProgram } from '../local/program.js'

/** Where Vagrant keeps the machine of a node: its Vagrantfile and what Vagrant writes beside it. */
export function folderOf(name: string): string {
  return join(homedir(), '.kraftwerk', 'vagrant', name)
}

/** Names of the nodes that have a folder. */
export function folders(): Promise<string[]> {
  return readdir(folderOf('')).catch(missing<string[]>([]))
}

/** Runs Vagrant in the folder of a node and gives what it prints. Throws a KraftError, a clear one where Vagrant is missing. */
export async function vagrant(name: string, args: readonly string[], options: Omit<ProgramOptions, 'cwd'> = {}): Promise<string> {
  const { code, stdout, stderr } = await runProgram('vagrant', args, { ...options, cwd: folderOf(name), anyCode: true })
  if (code === 0) return stdout
  if (code === 127) {
    throw new KraftError({
      kind: 'task',
      message: 'Vagrant is not installed on this machine',
      next: 'Install it with VirtualBox, VMware or libvirt (https://developer.hashicorp.com/vagrant), or use another provider: --provider local',
    })
  }
  const output = (stderr.trimEnd() || stdout.trimEnd()).split('\n').slice(-15).join('\n')
  const next = `Correct what it says, or see more: cd ${folderOf(name)} && vagrant status`
  throw new KraftError({ kind: 'command', node: name, command: `vagrant ${args[0]}`, code, output, next })
}

/** How a machine is. */
export async function stateOf(name: string): Promise<NodeState> {
  if (!existsSync(join(folderOf(name), 'Vagrantfile'))) return 'missing'
  return parseState(await vagrant(name, ['status', '--machine-readable']))
}

/**
 * Reads what `vagrant status --machine-readable` prints.
 *
 * @example parseState('1764385200,default,state,poweroff') // 'stopped'
 */
export function parseState(text: string): NodeState {
  const state = text
    .split('\n')
    .map((line) => line.trimEnd().split(','))
    .find(([, target, type]) => target !== '' && type === 'state')?.[3]
  if (state === 'running') return 'running'
  return state === undefined || state === 'not_created' ? 'missing' : 'stopped'
}

/** Where a machine is reached, as `vagrant ssh-config` says it. */
export interface Reached {
  readonly address: string
  readonly port: number
  readonly user: string
}

/** Reads what `vagrant ssh-config` prints. Throws a KraftError where it says no address. */
export function parseSshConfig(text: string, name: string): Reached {
  const value = (key: string) => new RegExp(`^\\s*${key}\\s+"?([^"\\r\\n]+?)"?\\s*$`, 'm').exec(text)?.[1]
  const [address, user] = [value('HostName'), value('User')]
  if (address !== undefined && user !== undefined) return { address, port: Number(value('Port') ?? 22), user }
  throw new KraftError({
    kind: 'task',
    node: name,
    message: 'vagrant ssh-config says no address of it',
    output: text.trim(),
    next: `See what it says by hand: cd ${folderOf(name)} && vagrant ssh-config`,
  })
}
