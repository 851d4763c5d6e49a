import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { KraftError } from '../../../engine/errors/failure.js'
import { fingerprint, fromLine, type PublicKey, same } from '../../../engine/ssh/public-key.js'
import { poll } from './poll.js'

const run = promisify(execFile)

/** Which sshd to wait for, and the key that it was given. */
export interface Expected {
  readonly node: string
  readonly address: string
  readonly port: number
  /** `ssh-ed25519 AAAA…` */
  readonly key: string
  /** Milliseconds; five minutes if left out. */
  readonly within?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits until the sshd at that address answers with the key that the node was given. Logs in nowhere. Throws `host-key` at
 * once when another one answers, and `unreachable` when none does in time.
 */
export async function awaitHostKey({ node, address, port, key, within = 300_000, signal }: Expected): Promise<void> {
  const answered = await poll(() => scan(address, port, signal), { within, signal })
  const place = port === 22 ? address : `${address} port ${port}`
  if (answered === undefined) {
    throw new KraftError({
      kind: 'unreachable',
      node,
      message: `No sshd answered at ${place} within ${Math.round(within / 1000)} s`,
      next: "Check that your network lets ssh out, and that the node's firewall at the provider lets you in (allow_ssh).",
    })
  }
  const given = fromLine(key)
  if (given !== undefined && same(answered, given)) return
  throw new KraftError({
    kind: 'host-key',
    node,
    message: `The sshd at ${place} has the host key ${fingerprint(answered)}, but the node was given ${given === undefined ? key : fingerprint(given)}`,
    next: 'Something else answers at that address, or between you and it. Try another network before you trust it.',
  })
}

async function scan(address: string, port: number, signal: AbortSignal | undefined): Promise<PublicKey | undefined> {
  const answer = await run(
    'ssh-keyscan',
    ['-T', '5', '-t', 'ed25519', '-p', String(port), address],
    signal ? { signal } : {},
  ).catch((error: unknown) => {
    // Nobody listens yet, or the person pressed Ctrl-C, which the poll notices next; only a missing program is a failure.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) return { stdout: '' }
    throw new KraftError({
      kind: 'task',
      message: 'ssh-keyscan is missing on this machine',
      next: 'Install OpenSSH: sudo apt-get install openssh-client',
    })
  })
  return fromLine(/^[^#\s]\S* (ssh-ed25519 .*)$/m.exec(answer.stdout)?.[1] ?? '')
}
