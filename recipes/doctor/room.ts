import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { size } from '../../engine/report/progress-text.js'
import type { Check, Seen } from './check.js'
import { doubtful, wrong } from './finding.js'

/** Bytes that should be free where kraft puts files. */
const enough = 500 * 1024 ** 2

/** Where kraft puts files on this machine: can it, and is there room. */
export const room: Check = {
  name: 'room',
  title: 'Room on this machine',
  look: () => Promise.all([...new Set([homedir(), tmpdir()])].map(lookAt)),
}

async function lookAt(folder: string): Promise<Seen> {
  const about = folder
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) {
    return { about, said: '', findings: [wrong('There is no such folder', 'Make it, or correct HOME and TMPDIR')] }
  }
  if (
    !(await access(folder, constants.W_OK).then(
      () => true,
      () => false,
    ))
  ) {
    return { about, said: '', findings: [wrong('You may not write there', 'Correct its owner or mode, or HOME and TMPDIR')] }
  }
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const findings =
    free < enough ? [doubtful(`Only ${size(free)} are left there`, `What takes it: du -xh --max-depth 2 ${folder}`)] : []
  return { about, said: `${size(free)} are free`, findings }
}
