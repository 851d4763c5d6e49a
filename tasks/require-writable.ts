import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'

/**
 * Refuses a file that could not be written, before hours are spent on what is to be in it.
 *
 * @throws KraftError `usage`
 */
export async function requireWritable(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined)
  if (found?.isDirectory()) throw refusal(`${file} is a folder`, `Name a file in it: ${file}/NAME.bundle`)
  const folder = dirname(file)
  const above = await stat(folder).catch(() => undefined)
  if (above === undefined) throw refusal(`There is no folder ${folder}`, `Make it: mkdir -p ${folder}`)
  if (!above.isDirectory()) throw refusal(`${folder} is no folder`, 'Name a file in one that exists')
  await access(folder, constants.W_OK).catch((error: unknown) => {
    throw refusal(`You may not write in ${folder}`, 'Name a file elsewhere', error)
  })
}

function refusal(message: string, next: string, cause?: unknown): KraftError {
  return new KraftError({ kind: 'usage', message, next }, cause)
}
