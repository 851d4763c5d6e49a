import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { askGit, inRepository } from './git.js'
import { readIgnoreRules } from './ignore.js'

/**
 * Whether a file that may not be there yet stays out of commits and deploys: git ignores it or, where there is no git, it is outside of
 * the project or the project's .gitignore names it.
 */
export async function isIgnored(folder: string, file: string): Promise<boolean> {
  const home = dirname(file)
  if (existsSync(home) && (await inRepository(home))) {
    return (await askGit(home, ['check-ignore', '--quiet', '--', file])).code === 0
  }
  const path = relative(folder, file)
  if (path.startsWith('..')) return true
  return ['.kraftignore', '.gitignore'].some((name) => {
    const rules = join(folder, name)
    return existsSync(rules) && readIgnoreRules(readFileSync(rules, 'utf8')).verdict(path, false) === 'out'
  })
}
