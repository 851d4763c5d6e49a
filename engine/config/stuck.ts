import { readFile } from 'node:fs/promises'
import { KraftError } from '../errors/failure.js'
import { placeAt } from './place-at.js'
import { tokens } from './tokens.js'

/**
 * What a kraftfile's loader gives, unless it never ends: code at the top of a file may wait for what does not come. Throws a KraftError
 * `setting` as soon as nothing is left that could end it, and at the latest after some seconds.
 */
export async function unlessStuck<T>(loading: Promise<T>, file: string, seconds = 60): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let idle: (() => void) | undefined
  const stuck = new Promise<never>((_, reject) => {
    const give = (how: string) => async () => reject(await error(file, how))
    timer = setTimeout(give(`still waits after ${seconds} seconds`), seconds * 1000)
    // It keeps nothing alive: where it alone is left, Node.js would end without a word.
    timer.unref()
    idle = give('waits for something that never comes')
    process.once('beforeExit', idle)
  })
  try {
    return await Promise.race([loading, stuck])
  } finally {
    clearTimeout(timer)
    if (idle !== undefined) process.removeListener('beforeExit', idle)
  }
}

async function error(file: string, how: string): Promise<KraftError> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const found = tokens(text).find(({ kind, text: word, depth }) => kind === 'word' && word === 'await' && depth === 0)
  return new KraftError({
    kind: 'setting',
    place: found === undefined ? { file } : placeAt(file, text, found.at),
    message: `The top of this file ${how}`,
    next: 'Move the await into the body of a task: what stands at the top runs at every call of kraft',
  })
}
