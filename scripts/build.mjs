#!/usr/bin/env node
// Compiles the sources into dist/: nothing to do takes a moment, stale outputs go, kraft.js becomes executable.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const note = join(dist, 'build.json')
const tops = ['kraft.ts', 'index.ts']
const rooms = ['engine', 'project', 'tasks', 'recipes', 'testing']

/** Files below a folder, relative to the root, in a fixed order. */
function filesBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}

const digest = (files) => {
  const hash = createHash('sha256')
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0')
  return hash.digest('hex')
}

const sources = [
  ...tops.filter((file) => existsSync(join(root, file))),
  ...rooms.flatMap((room) => filesBelow(join(root, room))).filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')),
]
const require = createRequire(import.meta.url)
const { version: typescript } = require('typescript/package.json')
const { version } = require('../package.json')
const expected = sources.flatMap((file) =>
  ['.js', '.js.map', '.d.ts'].map((extension) => join('dist', file.replace(/\.ts$/, extension))),
)
const inputs = `${version} ${typescript} ${process.argv.includes('--force') ? Date.now() : ''} ${digest([...sources, 'tsconfig.json', 'scripts/build.mjs'])}`

const earlier = existsSync(note) ? JSON.parse(readFileSync(note, 'utf8')) : {}
const whole = expected.every((file) => existsSync(join(root, file)))
if (earlier.inputs === inputs && whole && earlier.outputs === digest(expected)) process.exit(0)

mkdirSync(dist, { recursive: true })
// A build that fails halfway must not look like the one before.
rmSync(note, { force: true })
// tsc trusts its notes: without an output that they promise, it must begin anew.
const notes = join(dist, '.tsbuildinfo')
if (
  !whole ||
  earlier.outputs === undefined ||
  earlier.outputs !== digest(expected.filter((file) => existsSync(join(root, file))))
)
  rmSync(notes, { force: true })
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
const { status } = spawnSync(process.execPath, [tsc, '-p', root, '--incremental', '--tsBuildInfoFile', notes], {
  stdio: 'inherit',
  cwd: root,
})
if (status !== 0) process.exit(status ?? 1)

const keep = new Set([...expected, join('dist', basename(note)), join('dist', basename(notes))])
for (const file of filesBelow(dist)) if (!keep.has(file)) rmSync(join(root, file))
removeEmpty(dist)
if (existsSync(join(dist, 'kraft.js'))) chmodSync(join(dist, 'kraft.js'), 0o755)
// kraft's list of tasks is cached by the content of this file (engine/cli/list-cache.ts).
writeFileSync(note, `${JSON.stringify({ version, inputs, outputs: digest(expected) }, null, 2)}\n`)

function removeEmpty(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name))
  }
  if (folder !== dist && readdirSync(folder).length === 0) rmdirSync(folder)
}
