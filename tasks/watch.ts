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
  readonly ended: AbortSignal
}

/**
 * Deploys whenever a file that a deploy would send was saved, until Ctrl-C. What can't go live is said, and the next save tries again.
 * Each deploy is a kraft of its own, as from a shell: it has its own lock and leaves nothing of itself to the next.
 */
export async function deployOnSave({ folder, stays, word, ended }: Watched, line: Line): Promise<void> {
  const saved = await savedFiles(folder, stays, ended)
  line.output('Whatever is saved from now on goes live; Ctrl-C ends it')
  for await (const { at, paths } of saved) {
    const what = paths.length > 3 ? `${paths.length} files` : paths.join(', ')
    const { code, said } = await deploy(folder, word)
    if (ended.aborted) return
    const seconds = ((performance.now() - at) / 1000).toFixed(1)
    line.output(
      code === 0 ? `${what}: live ${seconds} s after it was saved` : `${what}: not live, the former release goes on\n${said}`,
    )
  }
}

async function deploy(folder: string, word: string): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [runningFile('kraft'), `deploy:${word}`], {
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
