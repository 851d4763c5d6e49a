import { type FSWatcher, watch } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { projectFiles } from '../project/files.js'

/** Files of a project that were saved, made or removed at about the same time. */
export interface Saved {
  /** When the first of them was, as `performance.now()` counts. */
  readonly at: number
  /** Relative to the project's folder. */
  readonly paths: readonly string[]
}

/** Milliseconds without another change: editors write a file in several steps. */
const settled = 80

/**
 * What is saved in a project's folder once this has resolved, until `ended`: of the files that a deploy would send, so neither a
 * virtualenv nor what git ignores. `stays` names more files that don't count.
 *
 * @example for await (const { paths } of await savedFiles('/home/ada/shop', [], session.ended)) console.log(paths)
 */
export async function savedFiles(folder: string, stays: readonly string[], ended: AbortSignal): Promise<AsyncGenerator<Saved>> {
  const watchers = new Map<string, FSWatcher>()
  let last = performance.now()
  // What was saved before its folder was watched counts as well.
  let first: number | undefined = last
  let wake: () => void = () => undefined
  const changed = () => {
    last = performance.now()
    first ??= last
    wake()
  }
  // Folder by folder, because a recursive watch would look at each of the thousands of files of a virtualenv.
  const look = async () => {
    const { files, folders } = await stateOf(folder, stays)
    for (const [path, watcher] of watchers) {
      if (folders.has(path)) continue
      watcher.close()
      watchers.delete(path)
    }
    const added = [...folders].filter((path) => !watchers.has(path))
    for (const path of added) {
      const watcher = watchFolder(join(folder, path), changed)
      if (watcher !== undefined) watchers.set(path, watcher)
    }
    // A new folder may have got files before it was watched.
    if (added.length > 0) changed()
    return files
  }
  async function* saved(before: ReadonlyMap<string, string>): AsyncGenerator<Saved> {
    let known = before
    ended.addEventListener('abort', () => wake(), { once: true })
    try {
      while (!ended.aborted) {
        if (first === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
          continue
        }
        const quiet = performance.now() - last
        if (quiet < settled) {
          await pause(settled - quiet)
          continue
        }
        const at = first
        first = undefined
        const now = await look()
        const paths = [...new Set([...known.keys(), ...now.keys()])].filter((path) => known.get(path) !== now.get(path))
        known = now
        if (paths.length > 0 && !ended.aborted) yield { at, paths }
      }
    } finally {
      for (const watcher of watchers.values()) watcher.close()
    }
  }
  return saved(await look())
}

function watchFolder(path: string, changed: () => void): FSWatcher | undefined {
  try {
    // A folder that is removed while it is watched ends nothing.
    return watch(path, changed).on('error', changed)
  } catch {
    return undefined
  }
}

function foldersAbove(path: string): readonly string[] {
  const above = dirname(path)
  return above === '.' ? ['.'] : [...foldersAbove(above), above]
}

/** What would be sent, with what tells that it changed, and the folders that it lies in. */
async function stateOf(folder: string, stays: readonly string[]) {
  const { entries } = await projectFiles(folder, stays)
  const states = entries.map(async ({ path }) => {
    const found = await lstat(join(folder, path)).catch(() => undefined)
    return [path, `${found?.mtimeMs} ${found?.size} ${found?.mode}`] as const
  })
  const folders = entries.flatMap(({ path, type }) => [...foldersAbove(path), ...(type === 'folder' ? [path] : [])])
  return { files: new Map(await Promise.all(states)), folders: new Set(['.', ...folders]) }
}
