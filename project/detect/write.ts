import { randomBytes } from 'node:crypto'
import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { KraftError } from '../../engine/errors/failure.js'
import { type Known, loadProject } from '../settings.js'

/** Checks the text of a kraftwerk.yaml as every task would read it. Throws `setting` for its first mistake. */
export async function checkText(folder: string, text: string, known: Known): Promise<void> {
  const beside = await mkdtemp(join(tmpdir(), 'kraft-init-'))
  try {
    // The folder's name counts as the project's.
    const copy = join(beside, basename(folder))
    await mkdir(copy)
    await writeFile(join(copy, 'kraftwerk.yaml'), text)
    await loadProject(copy, known)
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}

/** Writes kraftwerk.yaml into a folder that has none, whole or not at all. Throws a KraftError: `usage` where there is one. */
export async function writeNew(folder: string, text: string): Promise<string> {
  const file = join(folder, 'kraftwerk.yaml')
  const beside = join(folder, `.kraftwerk.yaml.${randomBytes(6).toString('hex')}`)
  try {
    await writeFile(beside, text)
    // A link, because a rename would replace what came there meanwhile.
    await link(beside, file)
    return file
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw alreadyThere(file)
    const why = error instanceof Error ? error.message : String(error)
    throw new KraftError({ kind: 'task', message: `kraftwerk.yaml can't be written: ${why}` }, error)
  } finally {
    await rm(beside, { force: true })
  }
}

/** What a project that has a kraftwerk.yaml is told. */
export function alreadyThere(file: string): KraftError {
  const next =
    'Change it by hand (kraft settings lists the keys), or move it away first; a new project has a name: kraft init NAME'
  return new KraftError({ kind: 'usage', message: `${file} is there already, and nothing was changed`, next })
}
