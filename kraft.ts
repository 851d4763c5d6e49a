#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { App } from './engine/cli/app.js'
import { main } from './engine/cli/main.js'
import { nearestKraftfile } from './engine/config/nearest-kraftfile.js'
import { installedKraftwerk, isRunning, runningRoot } from './engine/config/own-copy.js'

const root = dirname(runningRoot)

const app: App = {
  root,
  version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
  tasks: () => import('./tasks/index.js').then((tasks) => ({ ...tasks })),
  async open(folder) {
    const [{ kindNames, loadKind, loadKinds }, { openWorkspace }, { loadUserSettings }] = await Promise.all([
      import('./recipes/kinds.js'),
      import('./project/workspace.js'),
      import('./engine/config/user.js'),
    ])
    const providers = Object.fromEntries((await loadKinds('providers')).map(({ name, section }) => [name, section]))
    const known = { services: kindNames('services'), section: async (name: string) => (await loadKind('services', name)).section }
    return openWorkspace(folder, known, await loadUserSettings(providers))
  },
}

// A kraftfile and the CLI must share one copy of kraftwerk, and the project's own is the one that its author pinned.
async function run(): Promise<number> {
  const kraftfile = nearestKraftfile(process.cwd())
  const installed = kraftfile === undefined ? undefined : installedKraftwerk(dirname(kraftfile))
  if (installed === undefined || isRunning(installed)) return main(app, process.argv.slice(2))
  await import(pathToFileURL(join(installed, 'dist', 'kraft.js')).href)
  return Number(process.exitCode ?? 0)
}

process.exitCode = await run()
