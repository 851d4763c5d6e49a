import { readFile } from 'node:fs/promises'
import { missing } from './missing.js'

// As many as Debian gives a login at least; podman takes some of what this process may have for itself.
const enough = { nofile: 1_048_576, nproc: 30_000 } as const

/**
 * Options that give a container no higher limits than this process has. Podman asks for more by itself, which a machine without
 * CAP_SYS_RESOURCE (a container or a small virtual machine itself) refuses.
 *
 * @example await ulimits() // ['--ulimit=nofile=1024:524288', '--ulimit=nproc=30000:30000']
 */
export async function ulimits(): Promise<readonly string[]> {
  return parseLimits(await readFile('/proc/self/limits', 'utf8').catch(missing('')))
}

/** The same of the text of a limits file of Linux; what is unlimited is left out. */
export function parseLimits(text: string): readonly string[] {
  const rows = { nofile: /^Max open files +(\d+) +(\d+)/m, nproc: /^Max processes +(\d+) +(\d+)/m }
  return (['nofile', 'nproc'] as const).flatMap((name) => {
    const [, soft, hard] = rows[name].exec(text) ?? []
    if (soft === undefined || hard === undefined) return []
    return [`--ulimit=${name}=${Math.min(Number(soft), enough[name])}:${Math.min(Number(hard), enough[name])}`]
  })
}
