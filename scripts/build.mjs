#!/usr/bin/env node
// Compiles the sources into dist/: tsc checks them and writes the types, bundle.mjs the code. Nothing to do takes a moment, stale outputs go.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
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
const versionOf = (name) => require(`${name}/package.json`).version
const { version } = require('../package.json')
const once = process.argv.includes('--force') ? Date.now() : ''
const inputs = `${version} ${versionOf('typescript')} ${versionOf('rolldown')} ${once} ${digest([...sources, 'tsconfig.json', 'scripts/build.mjs', 'scripts/bundle.mjs'])}`

const earlier = existsSync(note) ? JSON.parse(readFileSync(note, 'utf8')) : {}
const outputs = () => filesBelow(dist).filter((file) => ![note, notes].includes(join(root, file)))
// tsc trusts its notes, and whoever starts kraft trusts the build: what was changed or taken away since is made anew.
const notes = join(dist, '.tsbuildinfo')
const untouched = earlier.outputs !== undefined && earlier.outputs === digest(outputs())
if (untouched && earlier.inputs === inputs) process.exit(0)

mkdirSync(dist, { recursive: true })
// A build that fails halfway must not look like the one before.
rmSync(note, { force: true })
if (!untouched) rmSync(notes, { force: true })
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
const { status } = spawnSync(process.execPath, [tsc, '-p', root, '--incremental', '--tsBuildInfoFile', notes], {
  stdio: 'inherit',
  cwd: root,
})
if (status !== 0) process.exit(status ?? 1)
const { bundle } = await import('./bundle.mjs')
const written = await bundle(root, sources)

const types = sources.map((file) => file.replace(/\.ts$/, '.d.ts'))
const keep = new Set([...types, ...written].map((file) => join('dist', file)))
for (const file of outputs()) if (!keep.has(file)) rmSync(join(root, file))
removeEmpty(dist)
chmodSync(join(dist, 'kraft.js'), 0o755)
// kraft's list of tasks is cached by the content of this file (engine/cli/list-cache.ts).
writeFileSync(note, `${JSON.stringify({ version, inputs, outputs: digest(outputs()) }, null, 2)}\n`)

function removeEmpty(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name))
  }
  if (folder !== dist && readdirSync(folder).length === 0) rmdirSync(folder)
}
