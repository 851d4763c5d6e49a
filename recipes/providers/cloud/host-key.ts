import { KraftError } from '../../../engine/errors/failure.js'
import { fingerprint, fromLine, type PublicKey, same } from '../../../engine/ssh/public-key.js'
import { scanHostKeys } from '../../../engine/ssh/scan.js'
import { poll } from './poll.js'

/** Which sshd to wait for, and the keys that it may show. */
export interface Expected {
  readonly node: string
  readonly address: string
  readonly port: number
  /** Any of them is right: `ssh-ed25519 AAAA…` */
  readonly keys: readonly string[]
  /** One that it may show while it is waited for: sshd is about to take another. */
  readonly before?: string
  /** Milliseconds; five minutes if left out. */
  readonly within?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits until the sshd at that address answers with a key that the node is known by. Logs in nowhere. Throws `host-key` at
 * once when another one answers, and `unreachable` when none does in time.
 */
export async function awaitHostKey({ node, address, port, keys, before, within = 300_000, signal }: Expected): Promise<void> {
  const right = keys.map(fromLine).filter((key) => key !== undefined)
  const passing = before === undefined ? undefined : fromLine(before)
  let answered: PublicKey | undefined
  const found = await poll(
    async () => {
      answered = (await scanHostKeys(address, port, ['ed25519'], signal))[0]
      const isPassing = answered !== undefined && passing !== undefined && same(answered, passing)
      return isPassing ? undefined : answered
    },
    { within, signal },
  )
  if (found !== undefined && right.some((key) => same(found, key))) return
  const place = port === 22 ? address : `${address} port ${port}`
  if (answered === undefined) {
    throw new KraftError({
      kind: 'unreachable',
      node,
      message: `No sshd answered at ${place} within ${Math.round(within / 1000)} s`,
      next: "Check that your network lets ssh out, and that the node's firewall at the provider lets you in (allow_ssh).",
    })
  }
  throw new KraftError({
    kind: 'host-key',
    node,
    message: `The sshd at ${place} has the host key ${fingerprint(answered)}, but the node ${found === undefined ? 'was to have' : 'was given'} ${right.map(fingerprint).join(' or ')}`,
    next: 'Something else answers at that address, or between you and it. Try another network before you trust it.',
  })
}
