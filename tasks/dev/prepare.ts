import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join, relative } from 'node:path'
import { isSecret, reveal } from '../../engine/shell/secret.js'
import type { Session } from '../../engine/task/session.js'
import type { Instance } from '../../project/instance.js'
import type { Application } from '../../recipes/application.js'
import { type Fetched, fetchValues } from '../../recipes/fetched.js'
import { developerEnviron, projectPart, type Said, whoSaid } from './environ.js'
import { localNode } from './local-node.js'
import { dotenvOf, managePath, ownFolder, writeLocal, writePrograms } from './own-files.js'
import type { Site } from './programs.js'
import { findSource, type Source } from './services.js'
import { findVirtualenv, newVirtualenv } from './virtualenv.js'

/** What {@link prepare} is asked for. */
export interface Wanted {
  readonly application: Application
  /** Services of a local node may be used. */
  readonly node: boolean
  /** Values are fetched from vaults. */
  readonly vault: boolean
  /** Is told what a person should know, a line at a time. */
  readonly say: (text: string) => void
}

/** What a project's programs run with on this machine. */
export interface Prepared {
  readonly environ: Readonly<Record<string, string>>
  readonly site: Omit<Site, 'port'>
  readonly sources: readonly Source[]
  /** In words: `stage of shop, with .venv`. */
  readonly title: string
}

/**
 * Finds or makes the virtualenv, finds the services, and puts the environment together. Changes nothing in a dry run, and opens no way to a
 * node.
 */
export async function prepare({ application, node, vault, say }: Wanted, session: Session): Promise<Prepared> {
  const { instance, framework, wsgi } = application
  const { project, settings } = instance
  const { folder } = project
  const { dryRun } = session.flags
  const said: Said = { shell: process.env, dotenv: await dotenvOf(folder), settings: await settingsOf(instance, vault, say) }
  const local = join(folder, '.local')
  const [virtualenv, sources] = await Promise.all([
    virtualenvOf(application, dryRun, say),
    sourcesOf(application, said, { node, local, say }, session),
  ])
  const services: Readonly<Record<string, string>> = Object.assign({}, ...sources.map(({ values }) => values))
  if (!dryRun && Object.values(services).some((value) => value.includes(local))) await writeLocal(local)
  const manage = managePath(folder, settings.src)
  const own = ownFolder(folder)
  const environ = developerEnviron({
    ...said,
    project: projectPart(folder, settings),
    services,
    framework: application.environ,
    virtualenv,
    programs: dryRun ? join(own, 'bin') : await writePrograms(folder, manage),
    collected: join(own, 'static'),
  })
  const where = instance.environment === undefined ? project.name : `${instance.environment} of ${project.name}`
  return {
    environ,
    site: {
      framework: framework.name,
      wsgi,
      virtualenv,
      manage,
      has: (program) => existsSync(join(virtualenv, 'bin', program)),
    },
    sources,
    title: `${where}, with ${shown(virtualenv, folder)}`,
  }
}

/** A path as a person in the project's folder names it. */
export function shown(path: string, folder: string): string {
  const short = relative(folder, path)
  return short.startsWith('..') || short === '' ? path : short
}

async function virtualenvOf({ instance, requirements }: Application, dryRun: boolean, say: Wanted['say']): Promise<string> {
  const { folder } = instance
  const found = findVirtualenv(folder, process.env.VIRTUAL_ENV)
  if (found !== undefined) return found
  say(`.venv: ${dryRun ? 'would be made' : 'made now'}, with what the project requires`)
  return dryRun ? join(folder, '.venv') : newVirtualenv(folder, requirements)
}

async function settingsOf(instance: Instance, vault: boolean, say: Wanted['say']): Promise<Readonly<Record<string, string>>> {
  const { environ, vaults } = instance.settings
  const names = Object.keys(vaults)
  if (names.length === 0) return environ
  if (!vault) {
    const said = { shell: process.env, dotenv: await dotenvOf(instance.folder), settings: {} }
    const left = names.filter((name) => whoSaid(name, said) === undefined)
    if (left.length > 0) say(`${left.join(', ')}: in a vault, and not fetched (--vault fetches)`)
    return environ
  }
  return { ...environ, ...plain(await fetchValues(instance)) }
}

function plain(values: Fetched): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, isSecret(value) ? reveal(value) : value]))
}

async function sourcesOf(
  { instance, services }: Application,
  said: Said,
  { node, local, say }: { readonly node: boolean; readonly local: string; readonly say: Wanted['say'] },
  session: Session,
): Promise<readonly Source[]> {
  if (services.length === 0) return []
  const found = node ? await localNode(instance, session) : undefined
  if (found !== undefined && 'why' in found) say(found.why)
  const around = {
    instance,
    said,
    node: found !== undefined && 'node' in found ? found.node : undefined,
    developer: { folder: local, name: instance.project.name, user: process.env.PGUSER ?? userInfo().username },
    dryRun: session.flags.dryRun,
    note: say,
  }
  const sources = await Promise.all(services.map((used) => findSource(used, around)))
  for (const { service, said: words } of sources) say(`${service}: ${words}`)
  return sources
}
