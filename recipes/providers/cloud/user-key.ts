import { createHash } from 'node:crypto'

/** The fingerprint by which most clouds know a key: MD5 of its bytes, as `aa:bb:…`. */
export function md5Fingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(/\s+/)[1] ?? '', 'base64')
  return createHash('md5')
    .update(blob)
    .digest('hex')
    .replace(/(..)(?=.)/g, '$1:')
}

/** A host name for a node, whose own name may have letters that a host name has not. */
export function hostName(node: string): string {
  return node.replaceAll('_', '-').replace(/[-.]+$/, '')
}
