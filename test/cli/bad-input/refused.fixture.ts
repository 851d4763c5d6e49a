import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { stringify } from 'yaml'
import { type Files, failure, kraft, writeFiles } from '../../rig/cli.js'
import type { Ran } from '../../rig/kraft.js'

/** A node that refuses connections: nothing listens on port 1 of loopback. */
export const down = { provider: 'local', address: '127.0.0.1', port: 1, user: 'root', host_keys: [] }
export const nodes = stringify({ one: down, two: down })
export const wsgi = 'wsgi: shop.wsgi:application\n'
export const stages = `${wsgi}environments:\n  stage: { name: shop-stage, nodes: [one] }\n  live: { nodes: [one] }\n`
export const stage = `${wsgi}services: [files]\nenvironments:\n  stage: { nodes: [one] }\n`

export const yaml = (text: string) => ({ 'kraftwerk.yaml': text })
export const project = (text: string) => ({ 'kraftwerk.yaml': text, 'nodes.yaml': nodes })
export const kraftfile = (text: string) => ({
  ...project(stage),
  'kraftfile.ts': `import { task } from 'kraftwerk'\n${text}\n`,
})
export const template = (text: string) => ({ ...project(stage), 'templates/nginx/site.conf.ejs': text })

/** A command line in a folder with these files, and what comes of it; `HERE` stands for that folder. */
export type Case = readonly [command: string, files: Files, code: number, said: string]

// Should kraft ever take one of these for good, it still makes no node.
const nowhere = { KRAFT_LOCAL_SUBNET: 'none' }

let root: string

/** Gives the tests of a file a folder for their projects. */
export function inFolders(): void {
  beforeAll(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'kraft-bad-input-')))
  })
  afterAll(() => rm(root, { recursive: true, force: true }))
}

let folders = 0
/** Runs a command line in a folder with these files. */
export async function run(command: string, files: Files, prepare?: (here: string) => Promise<void>) {
  const home = join(root, String(++folders))
  const here = join(home, 'shop')
  await mkdir(here, { recursive: true })
  await writeFiles(here, files)
  await prepare?.(here)
  const ended = await kraft(command.split(' '), { cwd: here, env: { HOME: home, ...nowhere } })
  return { ...ended, here, said: failure(ended.stderr).replaceAll(here, 'HERE') }
}

/** One error and one next step, no stack, nothing on stdout. */
export function clear(ended: Pick<Ran, 'stdout' | 'stderr'>): void {
  expect(ended.stdout).toBe('')
  expect(ended.stderr.match(/^error: /gm)).toHaveLength(1)
  expect(ended.stderr).not.toMatch(/^\s+at .*:\d+/m)
}

/** Runs a case, and expects what it says of the error and nothing else. */
export async function check(...[command, files, code, said]: Case): Promise<void> {
  const ended = await run(command, files)
  expect(ended.said).toContain(said)
  expect(ended.code).toBe(code)
  clear(ended)
  // What fails leaves nothing behind here either: no lock, no half of a file.
  expect((await readdir(ended.here)).sort()).toEqual(tops(files))
}

function tops(files: Files): string[] {
  return [...new Set(Object.keys(files).map((path) => path.split('/')[0] ?? ''))].filter((name) => name !== '..').sort()
}
