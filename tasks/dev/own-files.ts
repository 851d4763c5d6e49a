import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KraftError } from '../../engine/errors/failure.js'
import { cacheFolder } from '../../engine/files/cache-folder.js'
import { quote } from '../../engine/shell/sh.js'
import { readDotenv } from '../../project/dotenv.js'

/** Where kraft keeps what it has for a project outside of its folder. */
export function ownFolder(folder: string): string {
  return join(cacheFolder(), 'dev', createHash('sha256').update(folder).digest('hex').slice(0, 12))
}

/** The path of a project's manage.py, in its folder or in `src:`. */
export function managePath(folder: string, src: string | undefined): string | undefined {
  return [join(folder, 'manage.py'), ...(src === undefined ? [] : [join(folder, src, 'manage.py')])].find((path) =>
    existsSync(path),
  )
}

/** Makes `manage.py migrate` work as it is typed, as on a node. Returns the folder for PATH. */
export async function writePrograms(folder: string, manage: string | undefined): Promise<string> {
  const programs = join(ownFolder(folder), 'bin')
  await mkdir(programs, { recursive: true })
  if (manage !== undefined) {
    const path = join(programs, 'manage.py')
    await writeFile(path, `#!/bin/sh\nexec python ${quote(manage)} "$@"\n`)
    await chmod(path, 0o755)
  }
  return programs
}

/** Makes the folder for what the application keeps here, which git and a deploy pass over. One that is there stays as it is. */
export async function writeLocal(path: string): Promise<void> {
  if (existsSync(path)) return
  await mkdir(path)
  await writeFile(join(path, '.gitignore'), '*\n')
}

/** The variables of the project's `.env`; none where there is no such file. Throws `setting` for a line that is none. */
export async function dotenvOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const file = join(folder, '.env')
  if (!existsSync(file)) return {}
  try {
    const variables = readDotenv(await readFile(file))
    return Object.fromEntries([...variables].map(([name, value]) => [name, value.toString()]))
  } catch (error) {
    if (!(error instanceof KraftError) || !('message' in error.failure)) throw error
    const line = Number(/^Line (\d+)/.exec(error.failure.message)?.[1])
    const place = Number.isNaN(line) ? { file } : { file, line }
    const next = 'Write values with blanks, quotes or several lines in quotes'
    throw new KraftError({ kind: 'setting', message: 'This is not NAME=value', place, next }, error)
  }
}
