import { KraftError } from '../../../engine/errors/failure.js'
import { fingerprint, fromLine } from '../../../engine/ssh/public-key.js'

/**
 * Whose key it is, as OpenSSH's fingerprint; teammates share an account, and the same name from another key is another node.
 * Throws a KraftError (`usage`) for a line that is no public key.
 */
export function ownerOf(publicKey: string): string {
  const key = fromLine(publicKey)
  if (key !== undefined) return fingerprint(key)
  throw new KraftError({
    kind: 'usage',
    message: 'Your public key is not in the one-line form of OpenSSH',
    next: 'It looks like `ssh-ed25519 AAAA… you@host`; make one with ssh-keygen -t ed25519.',
  })
}
