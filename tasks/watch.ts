import { spawn } from 'node:child_process'
import { watch as watchFolder } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { runningFile } from '../engine/config/own-copy.js'
import type { Line } from '../engine/report/report.js'
import { projectFiles } from '../project/files.js'

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

/** Milliseconds without another change: editors write a file in several steps. */
const settled = 80

/**
 * Deploys whenever a file that a deploy would send was saved, until Ctrl-C. What can't go live is said, and the next save tries again.
 * Each deploy is a kraft of its own, as from a shell: it has its own lock and leaves nothing of itself to the next.
 */
export async function deployOnSave({ folder, stays, word, codeOnly, ended }: Watched, line: Line): Promise<void> {
  let known = await stateOf(folder, stays)
  // What is not live yet: a deploy that failed has not built for it either.
  const pending = new Set<string>()
  line.output('Whatever is saved from now on goes live; Ctrl-C ends it')
  for await (const at of changesOf(folder, ended)) {
    const now = await stateOf(folder, stays)
    const changed = [...new Set([...known.keys(), ...now.keys()])].filter((path) => known.get(path) !== now.get(path))
    known = now
    if (changed.length === 0) continue
    const what = changed.length > 3 ? `${changed.length} files` : changed.join(', ')
    for (const path of changed) pending.add(path)
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

/** The time of the first of some changes that came together, again and again. */
async function* changesOf(folder: string, ended: AbortSignal): AsyncGenerator<number> {
  // What was saved a moment before it watches counts as well.
  let first: number | undefined = performance.now()
  let last = 0
  let wake: () => void = () => undefined
  const watcher = watchFolder(folder, { recursive: true, signal: ended }, () => {
    last = performance.now()
    first ??= last
    wake()
  })
  // A folder that is removed while it is watched ends nothing.
  watcher.on('error', () => undefined)
  const stopped = new Promise<void>((resolve) => ended.addEventListener('abort', () => resolve(), { once: true }))
  while (!ended.aborted) {
    if (first === undefined) {
      await Promise.race([
        stopped,
        new Promise<void>((resolve) => {
          wake = resolve
        }),
      ])
      continue
    }
    const quiet = performance.now() - last
    if (quiet < settled) {
      await pause(settled - quiet)
      continue
    }
    const at = first
    first = undefined
    yield at
  }
}

/** What would be sent, with what tells that it changed. */
async function stateOf(folder: string, stays: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { entries } = await projectFiles(folder, stays)
  const states = entries.map(async ({ path }) => {
    const found = await lstat(join(folder, path)).catch(() => undefined)
    return [path, `${found?.mtimeMs} ${found?.size} ${found?.mode}`] as const
  })
  return new Map(await Promise.all(states))
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
