import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { layout } from '../../project/layout.js'

const page = readFileSync(new URL('../../docs/node.md', import.meta.url), 'utf8')
const place = { name: 'NAME', home: '/web/NAME' }

/** What each path is made of, in the words of the page, where it takes more than the instance. */
const words: Readonly<Record<string, readonly string[]>> = {
  release: ['ID'],
  meta: ['ID'],
  generation: ['ID', 'GENERATION'],
  venv: ['HASH'],
  socket: ['GENERATION'],
  trial: ['GENERATION'],
  out: ['NODE'],
  runit: ['GENERATION'],
  process: ['PROCESS'],
  cronState: ['ENTRY'],
  service: ['redis'],
  server: ['SERVICE'],
  serverSocket: ['SERVICE'],
  serverStarted: ['SERVICE'],
  made: ['SERVICE'],
  access: ['SERVICE'],
  password: ['SERVICE'],
  clients: ['SERVICE'],
}

/** Files that are named apart from their folder. */
const written: Readonly<Record<string, string>> = {
  [layout.generation(place, 'ID', 'GENERATION')]: 'releases/ID/.kraft/GENERATION',
}

it.each(Object.entries(layout))('docs/node.md names what layout.%s stands for', (key, made) => {
  const path = typeof made === 'string' ? made : Reflect.apply(made, undefined, [place, ...(words[key] ?? [])])
  expect(path).not.toContain('undefined')
  expect(page).toContain(written[path] ?? path)
})
