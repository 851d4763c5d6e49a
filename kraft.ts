#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { App } from './engine/cli/app.js'
import { isOlder, leastOf } from './engine/cli/is-older.js'
import { leave, main } from './engine/cli/main.js'
import { nearestKraftfile } from './engine/config/nearest-kraftfile.js'
import { installedKraftwerk, isRunning, runningFile, runningRoot } from './engine/config/own-copy.js'

// An empty one is none: what kraft keeps would land in the folder that it is called in.
if (process.env.HOME === '') delete process.env.HOME

const root = dirname(runningRoot)
const { version, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const app: App = {
  root,
  version,
  tasks: () => import('./tasks/index.js').then((tasks) => ({ ...tasks })),
  async task(name) {
    // Found by file name and imported when it is named; what else is in that folder exports nothing of its own name.
    const file = runningFile(`tasks/${name}`)
    if (!/^[a-z]+(-[a-z]+)*$/.test(name) || !existsSync(file)) return undefined
    const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href)
    return module[name.replaceAll(/-./g, (letter) => letter.slice(1).toUpperCase())]
  },
  extend: async (exports, file) => (await import('./recipes/kinds.js')).addKinds(exports, file),
  whereItIs: async (session, node) => (await import('./recipes/where-it-is.js')).whereItIs(session, node),
  async open(folder) {
    const [{ kindNames, knownKinds, loadKind }, { openWorkspace }, { loadUserSettings }] = await Promise.all([
      import('./recipes/kinds.js'),
      import('./project/workspace.js'),
      import('./engine/config/user.js'),
    ])
    const section = async (name: string) => (await loadKind('providers', name)).section
    const providers = Object.fromEntries(kindNames('providers').map((name) => [name, () => section(name)]))
    return openWorkspace(folder, knownKinds(), loadUserSettings(providers))
  },
}

// A kraftfile and the CLI must share one copy of kraftwerk, and the project's own is the one that its author pinned.
async function run(): Promise<number> {
  const kraftfile = folderIsGone() ? undefined : nearestKraftfile(process.cwd())
  const installed = kraftfile === undefined ? undefined : installedKraftwerk(dirname(kraftfile))
  if (installed === undefined || isRunning(installed)) return main(app, process.argv.slice(2))
  await import(pathToFileURL(join(installed, 'dist', 'kraft.js')).href)
  return Number(process.exitCode ?? 0)
}

// A shell can stand in a folder that was removed; main says so.
function folderIsGone(): boolean {
  try {
    return process.cwd() === ''
  } catch {
    return true
  }
}

// Debian 12 brings one that lacks what kraft uses here and there.
if (isOlder(process.versions.node, engines.node)) {
  const least = leastOf(engines.node)
  process.stderr.write(`error: kraft needs Node.js ${least} or newer, and this is ${process.versions.node}\n`)
  process.stderr.write('next:  Install a newer one: https://nodejs.org\n')
  process.exit(2)
}
leave(await run())
