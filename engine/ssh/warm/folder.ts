import { randomBytes } from 'node:crypto'
import { lstat, mkdir, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir, userInfo } from 'node:os'
import { basename, join } from 'node:path'

/** Bytes of a socket's path, with the NUL at its end, on the system that allows the fewest (macOS). */
const longest = 104
const nameLength = 24 + '.sock'.length

/** The folder of the sockets: in ~/.kraftwerk, or in the temporary folder where that path would be too long for a socket. */
export function warmFolder(home = homedir(), temporary = tmpdir()): string | undefined {
  const choices = [join(home, '.kraftwerk', 'warm'), join(temporary, `kraft-${userInfo().uid}`)]
  return choices.find((folder) => Buffer.byteLength(folder) + 1 + nameLength + 1 <= longest)
}

/** Makes the folder where it is missing. Throws unless it is a folder of ours (no link) that nobody else can enter. */
export async function ownFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const found = await lstat(folder)
  if (!found.isDirectory()) throw new Error(`${folder} is no folder`)
  if (found.uid !== userInfo().uid) throw new Error(`${folder} belongs to somebody else`)
  if ((found.mode & 0o077) !== 0) throw new Error(`${folder} is open to others (mode ${(found.mode & 0o777).toString(8)})`)
}

/** Whether a path is a socket of ours; undefined where nothing is there. Throws where it is anything else. */
export async function ownSocket(path: string): Promise<boolean> {
  const found = await lstat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return false
  if (!found.isSocket() || found.uid !== userInfo().uid) throw new Error(`${path} is not a socket of yours`)
  return true
}

/** Leaves a file in the folder, which only we (and root) can do, and gives its name: see {@link proven}. */
export async function prove(folder: string): Promise<string> {
  const name = `proof-${randomBytes(16).toString('hex')}`
  await writeFile(join(folder, name), '', { mode: 0o600, flag: 'wx' })
  return name
}

/** Whether a name is that of a file that {@link prove} left for us. It proves one time. */
export async function proven(folder: string, name: unknown): Promise<boolean> {
  if (typeof name !== 'string' || !/^proof-[0-9a-f]{32}$/.test(name)) return false
  const path = join(folder, basename(name))
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return false
  await rm(path, { force: true })
  return found.isFile() && found.uid === userInfo().uid
}
