import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { nearestProjectFile } from '../../config/nearest-project.js'
import type { App, TargetWord } from '../app.js'
import { cached } from '../list-cache.js'
import { type Completed, candidates } from './candidates.js'

/**
 * Answers a shell that completes: `kraft --complete WORD…`, the last word being the one under the cursor. Prints a candidate a
 * line, with a tab and one line of help; `:files` asks for names of files as well. Loads what it says from the cache, so that a
 * key is answered at once, and says nothing where something is wrong: a prompt is no place for errors.
 */
export async function answer(app: App, words: readonly string[]): Promise<number> {
  const key = { folder: process.cwd(), root: app.root, version: app.version }
  try {
    const known = await cached<Completed>({ ...key, kind: 'completion' }, async () => {
      const [{ loadRegistry }, { describeGlobals, describeTasks }] = await Promise.all([
        import('../load.js'),
        import('./describe.js'),
      ])
      const { registry, files } = await loadRegistry(app, key.folder)
      return { value: { tasks: describeTasks(registry), globals: describeGlobals() }, files }
    })
    const targets = () =>
      cached<readonly TargetWord[]>({ ...key, kind: 'targets', files: targetFiles(key.folder) }, async () => ({
        value: await (await app.open(key.folder)).words(),
        files: [],
      }))
    const found = await candidates(words, known, targets)
    const lines = found.words.map(({ word, help }) => `${word}\t${help}`)
    process.stdout.write([...lines, ...(found.files ? [':files'] : [])].map((line) => `${line}\n`).join(''))
  } catch {
    return 1
  }
  return 0
}

/** All files that targets come from. */
function targetFiles(folder: string): readonly string[] {
  const file = nearestProjectFile(folder)
  return [
    join(homedir(), '.kraftwerk', 'nodes.yaml'),
    join(homedir(), '.kraftwerk.yaml'),
    ...(file === undefined ? [] : [file, join(dirname(file), 'nodes.yaml')]),
  ]
}
