import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { callKraft, type Ran } from './kraft.js'

/** Files by their path below a folder. */
export type Files = Readonly<Record<string, string>>

// What a shell would pass on, without what steers kraft itself.
const bare = Object.entries(process.env).filter(([name]) => !/^(KRAFT_|VITEST|NODE_|FORCE_COLOR|CI$)/.test(name))

/** Runs the built kraft with nothing in its environment that this process has set for itself. */
export function kraft(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Ran> {
  return callKraft(args, { cwd, env: { ...Object.fromEntries(bare), ...env } })
}

/** What stderr says of a failure, below the progress that led to it; empty where there was none. */
export function failure(stderr: string): string {
  return (/^error: [\s\S]*/m.exec(stderr)?.[0] ?? '').trimEnd()
}

/** Writes files below a folder, with the folders above them. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}
