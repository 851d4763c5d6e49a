import { relative } from 'node:path'
import { findTemplate, templateFolders, templateNames } from './find.js'

/** A template as it is used here. */
export interface FoundTemplate {
  readonly name: string
  /** The file that is used. */
  readonly file: string
  /** The folder of templates that it is in. */
  readonly folder: string
}

/**
 * All templates, by name, each with the file that is used.
 *
 * @example listTemplates().map(({ name }) => name) // ['apt/unattended-upgrades.conf', …]
 */
export function listTemplates(): readonly FoundTemplate[] {
  return templateNames().map(locateTemplate)
}

/**
 * The file that is used for a name, with or without `.ejs`, and the folder that it is in.
 *
 * @throws KraftError `setting` where no folder has it.
 */
export function locateTemplate(name: string): FoundTemplate {
  const bare = name.replace(/\.ejs$/, '')
  const file = findTemplate(bare)
  const folder = templateFolders().find((each) => !relative(each, file).startsWith('..')) ?? ''
  return { name: bare, file, folder }
}
