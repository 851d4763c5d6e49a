import { isUtf8 } from 'node:buffer'
import { existsSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import { writeAtomic } from '../engine/files/atomic.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { writeDotenv } from '../project/dotenv.js'
import { isIgnored } from '../project/ignored.js'
import type { Instance } from '../project/instance.js'
import type { KeptOn } from './kept-environ.js'

/** Writes what is kept, in the form of a `.env` file, to a file that no commit and no deploy takes along, or to stdout. */
export async function pullEnviron(
  instance: Instance,
  [first]: readonly KeptOn[],
  [name, ...more]: readonly string[],
  session: Session,
): Promise<Result> {
  if (more.length > 0) throw new KraftError({ kind: 'usage', message: 'env pull takes one file', next: 'See: kraft help env' })
  const variables = first?.variables ?? new Map<string, Buffer>()
  const names = [...variables.keys()]
  const file = name === undefined ? undefined : resolve(session.folder, name)
  if (file !== undefined) await refuseFile(file, instance, session)
  if (session.flags.dryRun) {
    return new Result(`Would write ${names.join(', ') || 'nothing'} of ${instance.name} to ${file ?? 'stdout'}`, { file, names })
  }
  const text = writeDotenv(variables)
  if (file !== undefined) {
    // One that is there may be readable for others.
    if (existsSync(file)) await chmod(file, 0o600)
    await writeAtomic(file, text, { mode: 0o600 })
    return new Result(`${names.length} ${names.length === 1 ? 'variable' : 'variables'} of ${instance.name} in ${file}`, {
      file,
      names,
    })
  }
  const bytes = [...variables].find(([, value]) => !isUtf8(value))?.[0]
  if (bytes !== undefined) {
    throw new KraftError({
      kind: 'task',
      message: `${bytes} holds bytes that are no text`,
      next: 'Pull into a file: kraft env:TARGET pull FILE',
    })
  }
  const data = Object.fromEntries([...variables].map(([each, value]) => [each, value.toString()]))
  // Whoever pulls wants to see them.
  return new Result(text.toString().trimEnd(), data, undefined, true)
}

async function refuseFile(file: string, { project }: Instance, { flags, prompt, folder }: Session): Promise<void> {
  const shown = relative(folder, file)
  if (!existsSync(dirname(file))) throw new KraftError({ kind: 'usage', message: `There is no folder ${dirname(shown)}` })
  if (!(await isIgnored(project.folder, file))) {
    throw new KraftError({
      kind: 'usage',
      message: `${shown} would hold secrets, and nothing keeps it out of a commit or a deploy`,
      next: `Add a line to .gitignore: ${relative(project.folder, file)}`,
    })
  }
  if (flags.yes || flags.dryRun || !existsSync(file)) return
  if (prompt === undefined) {
    throw new KraftError({ kind: 'usage', message: `${shown} is there already`, next: 'To replace it, add --yes' })
  }
  if (!(await prompt.confirm(`Replace ${shown}?`))) throw new KraftError({ kind: 'interrupted', message: 'Nothing was changed' })
}
