import { KraftError } from '../../../engine/errors/failure.js'
import { fingerprint, fromLine, same } from '../../../engine/ssh/public-key.js'
import { scanHostKeys } from '../../../engine/ssh/scan.js'
import { poll } from './poll.js'

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
  const answered = await poll(async () => (await scanHostKeys(address, port, ['ed25519'], signal))[0], { within, signal })
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
