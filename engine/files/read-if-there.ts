import { readFileSync, statSync } from 'node:fs'

/**
 * The text of a file, or undefined where there is none; throws where it can't be read. At once: each node of a fleet asks for some
 * twenty small files, most of which aren't there, and going by way of Node's threads costs ten times as much.
 */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
    throw error
  }
}
