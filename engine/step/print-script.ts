import type { Script } from './compile.js'

/**
 * A script as a dry run prints it: byte for byte what a run sends, between two lines that say what it is and its SHA-256.
 *
 * @example printScript('one', compile('Packages', apt('nginx')))
 */
export function printScript(node: string, { title, text, hash }: Script): string {
  return `----- script for ${node}: ${title} (sha256 ${hash})\n${text}----- end of ${hash}`
}
