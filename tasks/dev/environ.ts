import { delimiter, join } from 'node:path'
import type { InstanceSettings } from '../../project/settings.js'

type Values = Readonly<Record<string, string>>

/** What a developer has said of variables, the strongest first. */
export interface Said {
  /** The environment that kraft was called in. */
  readonly shell: Readonly<Record<string, string | undefined>>
  /** The project's `.env`. */
  readonly dotenv: Values
  /** `environ:` of kraftwerk.yaml, and what was fetched from a vault. */
  readonly settings: Values
}

/** Where the variables of a developer's processes come from. */
export interface EnvironParts extends Said {
  readonly project: {
    readonly folder: string
    readonly name: string
    readonly environment: string | undefined
    readonly src: string | undefined
    readonly aliases: readonly string[]
    readonly staticUrl: string
  }
  readonly services: Values
  readonly framework: Values
  readonly virtualenv: string
  /** What kraft has for the project outside of its folder: programs, as `manage.py`, and where static files may be collected. */
  readonly programs: string
  readonly collected: string
}

/** Where a service's variable was said, in words; undefined where nobody said it. */
export function whoSaid(name: string, { shell, dotenv, settings }: Said): string | undefined {
  if (shell[name] !== undefined) return 'your shell'
  if (Object.hasOwn(dotenv, name)) return '.env'
  return Object.hasOwn(settings, name) ? 'kraftwerk.yaml' : undefined
}

// It opens sessions of this machine alone; the same at each start, so that nobody is logged out by one.
const secretKey = 'insecure: only for kraft dev on this machine'

/**
 * The environment of a project's processes on a developer's machine: what a node would have, with DEBUG on. The shell's own
 * wins over `.env`, that over kraftwerk.yaml, and that over what kraft gives; only what tells Python and kraft where they are is kraft's.
 */
export function developerEnviron(parts: EnvironParts): Record<string, string> {
  const { project, shell, dotenv, settings, virtualenv } = parts
  const code = project.src === undefined ? [project.folder] : [join(project.folder, project.src), project.folder]
  const given: Values = {
    PYTHONUNBUFFERED: '1',
    DOMAIN: 'localhost',
    ALLOWED_HOSTS: ['localhost', '.localhost', '127.0.0.1', '[::1]', ...project.aliases].join(','),
    STATIC_URL: project.staticUrl,
    STATIC_ROOT: parts.collected,
    SECRET_KEY: secretKey,
  }
  const own = Object.fromEntries(Object.entries(shell).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
  return {
    ...given,
    ...parts.services,
    ...parts.framework,
    ...settings,
    DEBUG: switchedOn(settings.DEBUG),
    ...dotenv,
    ...own,
    KRAFT_NAME: project.name,
    KRAFT_ENV: project.environment ?? '',
    KRAFT_RELEASE: 'dev',
    VIRTUAL_ENV: virtualenv,
    PATH: joined(parts.programs, join(virtualenv, 'bin'), own.PATH ?? dotenv.PATH),
    PYTHONPATH: joined(...code, own.PYTHONPATH ?? dotenv.PYTHONPATH),
  }
}

function joined(...paths: readonly (string | undefined)[]): string {
  return paths.filter((path) => path !== undefined && path !== '').join(delimiter)
}

// In the project's own way to say no, because some read `True` and others `1`.
const opposites: Values = { False: 'True', false: 'true', off: 'on', Off: 'On', no: 'yes', No: 'Yes' }

function switchedOn(said: string | undefined): string {
  if (said === undefined) return '1'
  return opposites[said] ?? (said === '0' || said === '' ? '1' : said)
}

/** Of a project's settings what {@link developerEnviron} wants. */
export function projectPart(folder: string, settings: InstanceSettings): EnvironParts['project'] {
  const { name, environment, src, domain, aliases, static_url: staticUrl } = settings
  return { folder, name, environment, src, aliases: [...(domain === undefined ? [] : [domain]), ...aliases], staticUrl }
}
