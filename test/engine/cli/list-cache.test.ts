import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { cached } from '../../../engine/cli/list-cache.js'
import { freshHome } from '../../rig/home.js'

const home = freshHome()
let loads = 0
let files: string[] = []

/** Files that were not just written: the cache rightly distrusts those. */
async function old(path: string, text: string): Promise<string> {
  const file = await home.write(path, text)
  await utimes(file, new Date('2020-01-01'), new Date('2020-01-01'))
  return file
}

const list = (version = '1') =>
  cached({ folder: home.project, root: '/kraft', version }, async () => {
    loads += 1
    return { value: { tasks: loads }, files }
  })

beforeEach(async () => {
  loads = 0
  files = [await old('calculator/kraftfile.ts', 'a'), await old('calculator/lib/other.ts', 'b')]
  await old('calculator/package-lock.json', '{}')
})

it('a second call does not load', async () => {
  expect(await list()).toEqual({ tasks: 1 })
  expect(await list()).toEqual({ tasks: 1 })
  expect(loads).toBe(1)
})

it.each<[string, () => Promise<unknown>]>([
  ['the kraftfile changed, though not its time or size', () => old('calculator/kraftfile.ts', 'x')],
  ['an import changed', () => old('calculator/lib/other.ts', 'x')],
  ['an import went', () => rm(join(home.project, 'lib/other.ts'))],
  ['an import moved', () => rename(join(home.project, 'lib'), join(home.project, 'moved'))],
  ['a file that would be found before an import came', () => old('calculator/lib/other.js', '')],
  [
    'a nearer kraftfile name came',
    async () => {
      await old('calculator/kraftfile.mts', '')
      await rm(join(home.project, 'kraftfile.ts'))
    },
  ],
  ['the lockfile changed', () => old('calculator/package-lock.json', '{"a":1}')],
  ['a lockfile of another kind came', () => old('calculator/yarn.lock', '')],
  ['packages were installed without a lockfile', () => old('calculator/node_modules/.package-lock.json', '{}')],
])('loads again when %s', async (_name, change) => {
  await list()
  await list()
  expect(loads).toBe(1)
  await change()
  expect(await list()).toEqual({ tasks: 2 })
})

it('loads again for another version of kraft', async () => {
  await list('1')
  await list('2')
  expect(loads).toBe(2)
})

it('notices a kraftfile where there was none', async () => {
  await rm(join(home.project, 'kraftfile.ts'))
  files = []
  await list()
  await list()
  expect(loads).toBe(1)
  await old('calculator/kraftfile.ts', 'a')
  await list()
  expect(loads).toBe(2)
})

it('does not keep what was changed while it was loaded', async () => {
  const value = await cached({ folder: home.project, root: '/kraft', version: '1' }, async () => {
    await writeFile(files[0] ?? '', 'changed')
    return { value: 'stale', files }
  })
  expect(value).toBe('stale')
  await list()
  expect(loads).toBe(1)
})

it.each(['', '{', '[]', '{"words":1}', 'null'])('a broken cache (%j) is a miss and is mended', async (text) => {
  await list()
  const folder = join(home.home, '.cache/kraftwerk')
  const [name = ''] = await readdir(folder)
  await writeFile(join(folder, name), text)
  await list()
  await list()
  expect(loads).toBe(2)
})

it('where nothing can be kept it works all the same', async () => {
  await mkdir(join(home.home, '.cache'))
  await writeFile(join(home.home, '.cache/kraftwerk'), 'in the way')
  await list()
  expect(await list()).toEqual({ tasks: 2 })
})

it('honours XDG_CACHE_HOME, and leaves no half-written file', async () => {
  process.env.XDG_CACHE_HOME = join(home.home, 'xdg')
  await Promise.all([list(), list(), list()])
  const names = await readdir(join(home.home, 'xdg/kraftwerk'))
  expect(names).toHaveLength(1)
  JSON.parse(await readFile(join(home.home, 'xdg/kraftwerk', names[0] ?? ''), 'utf8'))
})

it('needs nothing but Node.js', async () => {
  // The sources say it: whatever they import, however deep, is theirs or a module of Node.js.
  const seen = new Set<string>()
  const walk = async (file: string): Promise<void> => {
    if (seen.has(file)) return
    seen.add(file)
    const source = await readFile(file, 'utf8')
    for (const [, specifier = ''] of source.matchAll(/^import (?!type).*from '([^']+)'/gm)) {
      if (specifier.startsWith('.')) await walk(join(file, '..', specifier.replace(/\.js$/, '.ts')))
      else expect(specifier, file).toMatch(/^node:/)
    }
  }
  await walk(join(import.meta.dirname, '../../../engine/cli/list-cache.ts'))
  expect(seen.size).toBeGreaterThan(1)
})
