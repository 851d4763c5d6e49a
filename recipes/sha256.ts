import { type Sh, sh } from '../engine/shell/sh.js'

/**
 * Shell that prints the SHA-256 of a large file: `path`, or what a shell variable names. openssl has the processor's own instructions for
 * it, which Debian's sha256sum has not: 0.3 s against 1.5 s for 300 MB.
 */
export function sha256Of(path: string | Sh): Sh {
  return sh`openssl dgst -sha256 -r ${path} | cut -d ' ' -f 1`
}
