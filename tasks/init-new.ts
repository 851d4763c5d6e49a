import { basename, resolve } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { templateFolders } from '../engine/template/find.js'
import { beginRepository } from '../project/repository.js'
import { renderSkeleton, type SkeletonRequest, writeSkeleton } from '../project/skeleton.js'
import { makeVirtualenv, type VirtualenvMade } from '../project/virtualenv.js'

/** What `kraft init NAME` was asked for. */
interface Asked {
  readonly name: string
  readonly framework: string
  readonly template: string | undefined
  readonly venv: boolean
  readonly git: boolean
}

/** Writes a new project, and makes it a virtualenv and a repository. */
export async function initNew(asked: Asked, session: Session): Promise<Result> {
  const folder = resolve(session.folder, asked.name)
  // As typed, without the slash that completion leaves at the end.
  const shown = asked.name.replace(/\/+$/, '') || asked.name
  const { framework, template } = asked
  const request: SkeletonRequest = {
    folder,
    name: basename(folder),
    framework,
    ...(template === undefined ? {} : { template: resolve(session.folder, template) }),
    templates: templateFolders(),
    version: session.version,
  }
  if (session.flags.dryRun) {
    const paths = [...(await renderSkeleton(request)).keys()].sort()
    const rows = [`Would write a ${template ?? framework} project to ${folder}:`, ...paths.map((path) => `  ${path}`)]
    return new Result(rows.join('\n'), { folder, files: paths })
  }
  const files = await writeSkeleton(request)
  const repository = asked.git && (await beginRepository(folder))
  const venv = asked.venv && files.includes('requirements.txt') ? await virtualenv(folder, session) : undefined
  const rows = [
    `${shown}/ has ${files.length} files`,
    ...(repository ? ['git: a new repository, nothing committed'] : []),
    ...(venv === undefined ? [] : 'by' in venv ? [`.venv: made by ${venv.by}`] : unmade(shown, venv)),
  ]
  const next = `cd ${shown} && kraft dev`
  return new Result(rows.join('\n'), { folder, files, repository, venv: venv ?? null }, next)
}

async function virtualenv(folder: string, session: Session): Promise<VirtualenvMade> {
  const found: VirtualenvMade[] = []
  const run = async () => void found.push(await makeVirtualenv(folder, session.ended))
  await session.report.list([{ title: 'Virtualenv with what requirements.txt asks for', run }])
  return found[0] ?? { problem: 'interrupted', next: '' }
}

function unmade(shown: string, { problem, next }: { problem: string; next: string }): readonly string[] {
  return [`.venv: none was made: ${problem}`, `The project needs it only on this machine. Later: cd ${shown} && ${next}`]
}

/** The one framework among those asked for. Throws `usage` for two. */
export function oneOf(given: Readonly<Record<string, boolean | string | undefined>>): string {
  const asked = Object.entries(given).flatMap(([name, value]) =>
    value === true ? [name] : typeof value === 'string' ? [value] : [],
  )
  const [first = 'django', second] = [...new Set(asked)]
  if (second === undefined) return first
  const message = `A project has one framework: ${first} or ${second}?`
  throw new KraftError({ kind: 'usage', message, next: 'Take one of --django, --flask, --wsgi, --framework and --template' })
}
