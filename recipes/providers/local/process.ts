import { readFile } from 'node:fs/promises'
import { missing } from './missing.js'

/**
 * Whether the process whose pid is in a file runs and has a word in its command line. A pid alone proves nothing: after a reboot
 * of this machine it is somebody else's.
 */
export async function runs(pidFile: string, word: string): Promise<boolean> {
  const pid = (await readFile(pidFile, 'utf8').catch(missing(''))).trim()
  if (!/^\d+$/.test(pid)) return false
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(missing(''))
  return line.replaceAll('\0', ' ').includes(word)
}
