import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { KraftError } from '../errors/failure.js'
import { didYouMean } from '../errors/nearest.js'

// Global because recipes are called as plain functions in kraftfiles: there is no context to hand the folders through.
let usersFolders: readonly string[] = []

/**
 * Sets the user's folders of templates, the strongest first; the CLI does this once, before any kraftfile runs. The package's
 * own templates come after them, so a user overrides file by file.
 *
 * @example useTemplates([join(project, 'templates'), settings.templates])
 */
export function useTemplates(folders: readonly string[]): void {
  usersFolders = folders
}

/** All folders of templates, in the order in which they are searched. */
export function templateFolders(): readonly string[] {
  return [...usersFolders, packageFolder()]
}

/**
 * The file of a template: `NAME.ejs` or `NAME` in the first folder that has one.
 *
 * @throws KraftError `setting` where no folder has it.
 * @example findTemplate('nginx/nginx.conf') // '/home/me/project/templates/nginx/nginx.conf.ejs'
 */
export function findTemplate(name: string): string {
  const inside = normalize(name)
  if (!inside.startsWith('..') && !inside.startsWith(sep)) {
    for (const folder of templateFolders()) {
      const found = [`${inside}.ejs`, inside].map((file) => join(folder, file)).find(isFile)
      if (found !== undefined) return found
    }
  }
  throw new KraftError({
    kind: 'setting',
    place: { file: name },
    message: `there is no such template.${didYouMean(name, templateNames())}`,
    next: `Looked in ${templateFolders().join(', ')}`,
  })
}

/** The file of kraftwerk's own template of a name, whatever a user has in its place; undefined where it has none. */
export function ownFile(name: string): string | undefined {
  return [`${name}.ejs`, name].map((file) => join(packageFolder(), file)).find(isFile)
}

/** The names of all templates that {@link findTemplate} can find. */
export function templateNames(): readonly string[] {
  const names = templateFolders()
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => isFile(join(folder, file))))
  return [...new Set(names.map((file) => file.replace(/\.ejs$/, '').replaceAll(sep, '/')))].sort()
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

// Compiled code is one folder deeper (dist/) than its source.
function packageFolder(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
  return join(folder, 'templates')
}
