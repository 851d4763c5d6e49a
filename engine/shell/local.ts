import type { Shell } from 'zx/core'

/**
 * zx on this machine, which prints nothing by itself.
 *
 * @example const $ = await localShell(); await $`git rev-parse HEAD`
 */
export async function localShell(): Promise<Shell> {
  const { $ } = await import('zx/core')
  return $({ quiet: true, verbose: false })
}
