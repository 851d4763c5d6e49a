import type { SshOptions } from './config.js'
import { type HostCheck, hostKeyAlgorithms, verifyHostKey } from './host-key.js'
import { collectIdentities, type Identities } from './identities.js'
import type { Ask } from './question.js'

type Algorithms = Awaited<ReturnType<typeof hostKeyAlgorithms>>
type Verdict = Awaited<ReturnType<typeof verifyHostKey>>

/** What a handshake needs of the person who connects: which host keys are right, and signatures by their keys. */
export interface Credentials {
  /** The host key algorithms to offer, best first. */
  algorithms(check: HostCheck): Promise<Algorithms>
  /** Why the key that a host shows is refused; undefined where it is the right one. */
  verify(check: HostCheck, blob: Buffer): Promise<Verdict>
  /** The keys to try. */
  identities(options: SshOptions): Promise<Identities>
}

/** Those of this process: its files, its agent, and its terminal for questions. */
export function ownCredentials(ask: Ask | undefined): Credentials {
  return {
    algorithms: hostKeyAlgorithms,
    verify: (check, blob) => verifyHostKey({ ...check, ask }, blob),
    identities: (options) => collectIdentities(options, ask),
  }
}
