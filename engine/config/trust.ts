import { readFile, realpath, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import { KraftError } from '../errors/failure.js'

/** How somebody else could change a file, and what takes that away. */
export interface Foreign {
  readonly why: string
  readonly next: string
}

/**
 * Refuses code that somebody else could have written: the file and its folder must belong to us or root, and nobody else may
 * write them. Throws a KraftError `setting`.
 */
export async function refuseForeign(file: string): Promise<void> {
  const foreign = await writableByOthers(file)
  if (foreign === undefined) return
  const message = `kraft does not run code that others can change: ${foreign.why}`
  throw new KraftError({ kind: 'setting', message, place: { file }, next: foreign.next })
}

/** How somebody else than we or root could change a file, by itself or by its folder; undefined where nobody can. */
export async function writableByOthers(file: string): Promise<Foreign | undefined> {
  const real = await realpath(file)
  for (const path of [real, dirname(real), ...(real === file ? [] : [dirname(file)])]) {
    const { uid, gid, mode } = await stat(path)
    const us = process.getuid?.() ?? uid
    if (uid !== us && uid !== 0)
      return { why: `${path} belongs to another user (${uid})`, next: `chown ${userInfo().username} ${path}` }
    if ((mode & 0o002) !== 0) return { why: `everybody can write ${path}`, next: `chmod o-w ${path}` }
    if ((mode & 0o020) !== 0 && !(await isPrivateGroup(gid, uid)))
      return { why: `its group can write ${path}`, next: `chmod g-w ${path}` }
  }
  return undefined
}

/** Debian and Ubuntu give each user a group of his own and let it write: nobody else is in it. */
async function isPrivateGroup(gid: number, owner: number): Promise<boolean> {
  const [groups, users] = await Promise.all(['/etc/group', '/etc/passwd'].map((file) => readFile(file, 'utf8').catch(() => '')))
  const people = (users ?? '').split('\n').map((row) => row.split(':'))
  const name = people.find(([, , uid]) => uid === String(owner))?.[0]
  const group = (groups ?? '')
    .split('\n')
    .map((row) => row.split(':'))
    .find(([, , id]) => id === String(gid))
  if (name === undefined || group === undefined) return false
  const members = (group[3] ?? '').split(',').filter((member) => member !== '' && member !== name)
  const others = people.filter(([user, , , primary]) => primary === String(gid) && user !== name)
  return members.length === 0 && others.length === 0
}
