import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(import.meta.url)

/** `.js`, or `.ts` where the sources run as they are (in tests). */
export const runningExtension = here.slice(here.lastIndexOf('.'))

/** The folder that holds engine/, recipes/ and tasks/ of the kraftwerk that runs now: `dist` of a package, or the sources. */
export const runningRoot = above(here)

/**
 * A file of the kraftwerk that runs now, by its path in the sources without its ending. Compiled files are put together, so that no
 * file may look for another beside itself.
 *
 * @example runningFile('engine/ssh/warm/holder')
 */
export function runningFile(path: string): string {
  return join(runningRoot, path + runningExtension)
}

function above(file: string): string {
  const folder = dirname(file)
  return existsSync(join(folder, `kraft${runningExtension}`)) || folder === file ? folder : above(folder)
}

/**
 * The folder of the kraftwerk package that a kraftfile in `folder` imports: the project's own, or undefined where none is
 * installed and the running copy serves. The CLI hands over to it if it is not the one that runs.
 */
export function installedKraftwerk(folder: string): string | undefined {
  for (let current = folder; ; current = dirname(current)) {
    const installed = join(current, 'node_modules', 'kraftwerk')
    if (existsSync(join(installed, 'package.json'))) return realpathSync(installed)
    if (isKraftwerk(current)) return realpathSync(current)
    if (current === dirname(current)) return undefined
  }
}

/** True if that package is the one whose code runs now. */
export function isRunning(kraftwerk: string, root: string = runningRoot): boolean {
  const real = realpathSync(root)
  return real === kraftwerk || dirname(real) === kraftwerk
}

function isKraftwerk(folder: string): boolean {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return false
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return typeof content === 'object' && content !== null && 'name' in content && content.name === 'kraftwerk'
  } catch {
    // A broken package.json is npm's to complain about.
    return false
  }
}
