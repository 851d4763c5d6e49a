import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { promisify } from 'node:util'

/** How much a test tries: a little in npm test, much in `npm run soak NAME`, which keeps the result. */
export interface Soak {
  readonly count: number
  /** The first seed. */
  readonly first: number
  /** Keeps what came of it, with date and commit. */
  write(result: Readonly<Record<string, unknown>>): Promise<void>
}

/** What `npm run soak NAME` asks for; without it, `few` from seed 1 and no result. */
export function soak(name: string, few: number): Soak {
  const { KRAFT_SOAK: asked, KRAFT_SOAK_COUNT: count = few, KRAFT_SOAK_SEED: seed = 1, KRAFT_SOAK_FILE: file } = process.env
  if (asked !== name) return { count: few, first: 1, write: async () => undefined }
  return {
    count: Number(count),
    first: Number(seed),
    async write(result) {
      if (file === undefined) return
      const { stdout: commit } = await promisify(execFile)('git', ['rev-parse', '--short', 'HEAD'])
      const about = { date: new Date().toISOString(), commit: commit.trim(), ...result, cpus: cpus().length }
      await writeFile(file, `${JSON.stringify(about, null, 2)}\n`)
    },
  }
}
