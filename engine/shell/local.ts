import type { Shell } from 'zx/core'
import { notedShell } from './noted.js'

/**
 * zx on this machine, which prints nothing by itself.
 *
 * @example const $ = await localShell(); await $`git rev-parse HEAD`
 */
export async function localShell(): Promise<Shell> {
  const { $, ProcessPromise } = await import('zx/core')
  return notedShell($({ quiet: true, verbose: false }), ProcessPromise, 'this machine')
}
