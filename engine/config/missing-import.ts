import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { nearest } from '../errors/nearest.js'
import { runningRoot } from './own-copy.js'

/** What to do about an import that leads nowhere, with the file or the name that it may have meant. */
export async function missingImport(specifier: string, from: string): Promise<string> {
  if (specifier.startsWith('.') || specifier.startsWith('/')) {
    const path = resolve(dirname(from), specifier)
    const better = nearestIn(dirname(path), basename(path))
    return better === undefined
      ? 'Write the file, or correct the path: it begins at the folder of this file'
      : `Perhaps: '${specifier.slice(0, specifier.lastIndexOf('/') + 1)}${better}'`
  }
  if (/^kraftwerk(\/|$)/.test(specifier)) {
    const [, room = '', name = ''] = specifier.split('/')
    const recipe =
      room === '' || nearest(room, ['recipes']) === undefined ? undefined : nearestIn(join(runningRoot, 'recipes'), name)
    if (recipe !== undefined) return `Perhaps: 'kraftwerk/recipes/${recipe.replace(/\.[jt]s$/, '')}'`
    return "There are 'kraftwerk', 'kraftwerk/tasks', 'kraftwerk/testing' and, for each recipe, 'kraftwerk/recipes/NAME'"
  }
  return `npm install --save-dev ${specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')}`
}

/** The file of a folder whose name without its ending is the nearest. */
function nearestIn(folder: string, name: string): string | undefined {
  if (!existsSync(folder)) return undefined
  const stem = (file: string) => file.replace(/\.(d\.)?[cm]?[jt]sx?$/, '')
  const files = readdirSync(folder).filter((file) => /\.[cm]?[jt]sx?$/.test(file) && !file.endsWith('.d.ts'))
  const near = nearest(stem(name), files.map(stem))
  return files.find((file) => stem(file) === near)
}
