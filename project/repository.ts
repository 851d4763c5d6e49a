import { KraftError } from '../engine/errors/failure.js'
import { askGit, inRepository } from './git.js'

/**
 * Makes a git repository of a new project, as `cargo new` and `uv init` do: where git is installed and no repository holds the folder
 * already. Returns whether it made one; without it the project is as good.
 */
export async function beginRepository(folder: string): Promise<boolean> {
  try {
    if (await inRepository(folder)) return false
    return (await askGit(folder, ['init', '--quiet'])).code === 0
  } catch (error) {
    if (error instanceof KraftError) return false
    throw error
  }
}
