import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { KraftError } from '../errors/failure.js'
import { fromLine, type PublicKey } from './public-key.js'

const run = promisify(execFile)

/** The host keys that an sshd shows, unproven; none where nobody answers. Logs in nowhere. */
export async function scanHostKeys(
  address: string,
  port: number,
  types: readonly string[],
  signal?: AbortSignal,
): Promise<readonly PublicKey[]> {
  const answer = await run(
    'ssh-keyscan',
    ['-T', '5', '-t', types.join(','), '-p', String(port), address],
    signal ? { signal } : {},
  ).catch((error: unknown) => {
    // Nobody listens yet, or the person pressed Ctrl-C; only a missing program is a failure.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) return { stdout: '' }
    throw new KraftError({
      kind: 'task',
      message: 'ssh-keyscan is missing on this machine',
      next: 'Install OpenSSH: sudo apt-get install openssh-client',
    })
  })
  return answer.stdout.split('\n').flatMap((line) => {
    const key = fromLine(/^[^#\s]\S* (\S+ \S+)/.exec(line)?.[1] ?? '')
    return key === undefined ? [] : [key]
  })
}
