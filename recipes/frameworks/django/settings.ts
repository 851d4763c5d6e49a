import { posix } from 'node:path'
import { type Assignment, assignment, statements } from '../../../project/detect/python-source.js'
import type { ProjectTree } from '../../../project/detect/tree.js'

/** A setting as it is written, and where. */
export interface Setting extends Assignment {
  readonly file: string
}

/** Django's settings by name, as far as they can be read without running them. */
export type DjangoSettings = ReadonlyMap<string, Setting>

/**
 * Reads the settings of a module and of those that it imports all of (`from .base import *`); the last word on a name counts. `root`
 * is the folder that is on Python's path. Empty where there is no such module.
 *
 * @example readSettings(tree, '', 'shop.settings.production').get('STATIC_URL')?.value // '"/static/"'
 */
export function readSettings(tree: ProjectTree, root: string, module: string): DjangoSettings {
  const found = new Map<string, Setting>()
  visit(tree, root, module, found, new Set())
  return found
}

function visit(tree: ProjectTree, root: string, module: string, found: Map<string, Setting>, seen: Set<string>): void {
  const path = posix.join(root, module.replaceAll('.', '/'))
  const file = [`${path}.py`, `${path}/__init__.py`].find((each) => tree.read(each) !== undefined)
  if (file === undefined || seen.has(file)) return
  seen.add(file)
  for (const statement of statements(tree.read(file) ?? '')) {
    const imported = /^from (\.*)([\w.]*) import \*$/.exec(statement.text)
    if (imported !== null) {
      const [, dots = '', name = ''] = imported
      const home = module.split('.')
      const above = home.slice(0, home.length - dots.length + (file.endsWith('/__init__.py') ? 1 : 0))
      visit(tree, root, (dots === '' ? [name] : [...above, name]).filter((part) => part !== '').join('.'), found, seen)
    }
    // What stands in a block counts only where nothing plain does.
    const given = assignment(statement)
    if (given !== undefined && (statement.indent === 0 || !found.has(given.name))) found.set(given.name, { ...given, file })
  }
}
