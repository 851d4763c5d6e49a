import { spawn } from 'node:child_process'
import { runningFile } from '../engine/config/own-copy.js'
import type { Line } from '../engine/report/report.js'
import { savedFiles } from './saved-files.js'

/** What is watched, and where it goes at each change. */
export interface Watched {
  readonly folder: string
  /** What a deploy leaves here. */
  readonly stays: readonly string[]
  /** What stands behind the colon of the deploy. */
  readonly word: string
  /** Whether a deploy need not build nor migrate for changes of these files. */
  codeOnly(changed: readonly string[]): boolean
  readonly ended: AbortSignal
}

/**
 * Deploys whenever a file that a deploy would send was saved, until Ctrl-C. What can't go live is said, and the next save tries again.
 * Each deploy is a kraft of its own, as from a shell: it has its own lock and leaves nothing of itself to the next.
 */
export async function deployOnSave({ folder, stays, word, codeOnly, ended }: Watched, line: Line): Promise<void> {
  const saved = await savedFiles(folder, stays, ended)
  // What is not live yet: a deploy that failed has not built for it either.
  const pending = new Set<string>()
  line.output('Whatever is saved from now on goes live; Ctrl-C ends it')
  for await (const { at, paths } of saved) {
    const what = paths.length > 3 ? `${paths.length} files` : paths.join(', ')
    for (const path of paths) pending.add(path)
    const alone = codeOnly([...pending])
    const { code, said } = await deploy(folder, [`deploy:${word}`, ...(alone ? ['--code-only'] : [])])
    if (ended.aborted) return
    if (code === 0) pending.clear()
    const seconds = ((performance.now() - at) / 1000).toFixed(1)
    line.output(
      code === 0
        ? `${what}: live ${seconds} s after it was saved${alone ? ', code alone' : ''}`
        : `${what}: not live, the former release goes on\n${said}`,
    )
  }
}

async function deploy(folder: string, words: readonly string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [runningFile('kraft'), ...words], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  return { code, said: text.slice(Math.max(0, text.lastIndexOf('error: '))).trimEnd() }
}
