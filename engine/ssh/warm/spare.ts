import { readdir } from 'node:fs/promises'
import { warmFolder } from './folder.js'
import { secondsToKeep } from './keep.js'
import { holderProgram, spareHolder } from './start.js'

/**
 * Starts a holder if it is likely that this command will need one: it takes as long to start as kraft itself does, and so both start
 * at once. Whoever never kept a connection gets none, and one that is kept is most likely the one that is wanted.
 */
export async function prepareHolder(): Promise<void> {
  const [program, folder] = [holderProgram(), warmFolder()]
  if (program === undefined || folder === undefined) return
  if (secondsToKeep(undefined) === 0 || process.env.KRAFT_KEEP_CONNECTIONS === '0') return
  const names = await readdir(folder).catch(() => undefined)
  if (names !== undefined && !names.some((name) => name.endsWith('.sock'))) spareHolder(program)
}
