import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Settings of this machine's apt as lines of an apt.conf, those that are set. */
export async function aptSettings(names: readonly string[]): Promise<string[]> {
  const dump = await output('apt-config', ['dump'])
  return dump.split('\n').filter((line) => names.some((name) => line.startsWith(`${name} `) && !line.endsWith('"";')))
}

/** Where this machine's apt gets packages from. */
export async function aptSites(): Promise<string[]> {
  const sites = await output('apt-get', ['indextargets', '--format', '$(SITE)'])
  return sites.split('\n').map((site) => site.replace(/\/+$/, ''))
}

async function output(program: string, given: readonly string[]): Promise<string> {
  return (await promisify(execFile)(program, [...given], { maxBuffer: 1 << 24 })).stdout
}
