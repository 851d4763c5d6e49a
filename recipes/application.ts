import { KraftError } from '../engine/errors/failure.js'
import type { NodeRecord } from '../engine/node/record.js'
import { registerSecretive } from '../engine/shell/secretive.js'
import { candidate, detectFramework, type Framework } from '../project/framework.js'
import type { Instance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import { type Requirements, readRequirements, requiredNames } from '../project/requirements.js'
import type { Service } from '../project/service.js'
import { wsgiOf } from '../project/settings.js'
import { loadKind, loadKinds } from './kinds.js'
import type { Release } from './release.js'

/** A service that the project asked for, with its settings. */
export interface UsedService {
  readonly service: Service
  readonly settings: Readonly<Record<string, unknown>>
}

/** What kraft knows of an instance's program, from the project's folder alone. */
export interface Application {
  readonly instance: Instance
  readonly framework: Framework
  readonly requirements: Requirements
  readonly wsgi: string
  /** The Python package, whose static/ is served; undefined where the callable comes from PyPI. */
  readonly package: string | undefined
  readonly services: readonly UsedService[]
  /** The release command; undefined for none. */
  readonly release: string | undefined
  /** What the framework asks for, for example the module of the settings. */
  readonly environ: Readonly<Record<string, string>>
}

/** Reads all that a deploy needs to know of the project. Throws `setting` before any node is touched. */
export async function readApplication(instance: Instance): Promise<Application> {
  const { settings, folder, project } = instance
  const requirements = readRequirements({ folder, packages: settings.packages })
  const seen = candidate({ folder, src: settings.src, requires: requiredNames(requirements.text) })
  const framework = detectFramework(await loadKinds('frameworks'), seen)
  const wsgi = wsgiOf(project, settings)
  const top = wsgi.split(/[.:]/)[0] ?? ''
  const own = settings.package ?? top
  const exists = ['__init__.py', 'static', 'wsgi.py'].some((file) => seen.read(`${own}/${file}`) !== undefined)
  return {
    instance,
    framework,
    requirements,
    wsgi,
    package: settings.package !== undefined || exists ? own : undefined,
    services: await usedServices(instance),
    release: settings.release === undefined ? framework.release : settings.release === false ? undefined : settings.release,
    environ: framework.environ(seen, wsgi),
  }
}

/** The services of an instance, loaded. */
export async function usedServices({ settings }: Instance): Promise<readonly UsedService[]> {
  return Promise.all(
    settings.services.map(async (used) => {
      const [service, { withDefaults }] = await Promise.all([
        loadKind('services', used.name),
        import('../engine/config/section-of.js'),
      ])
      return { service, settings: withDefaults(service.section, used.settings) }
    }),
  )
}

/** The name by which visitors ask for the site: its domain, else the node's address. */
export function hostOf({ settings }: Instance, record: NodeRecord): string {
  return settings.domain ?? record.address
}

/** All names that the application may be asked by: its domain and aliases, else the node's address and name. */
export function hostsOf({ settings }: Instance, record: NodeRecord): readonly string[] {
  return settings.domain === undefined ? [record.address, record.name] : [settings.domain, ...settings.aliases]
}

/** What the application finds in its environment. What the user sets wins over what kraft gives. */
export function environOf(application: Application, release: Release, record: NodeRecord): Record<string, string> {
  const { instance, services } = application
  const { settings } = instance
  const code = layout.release(instance, release.id)
  const environ: Record<string, string> = {
    PYTHONUNBUFFERED: '1',
    PYTHONPATH: settings.src === undefined ? code : `${code}/${settings.src}:${code}`,
    DOMAIN: hostOf(instance, record),
    ALLOWED_HOSTS: hostsOf(instance, record).join(','),
    STATIC_URL: settings.cdn === undefined ? settings.static_url : `https://${settings.cdn}${settings.static_url}`,
    ...(settings.cdn === undefined ? {} : { CDN_HOST: settings.cdn }),
    STATIC_ROOT: `${layout.meta(instance, release.id)}/public/static`,
    KRAFT_NAME: instance.name,
    KRAFT_ENV: instance.environment ?? '',
    KRAFT_RELEASE: release.id,
    ...Object.assign({}, ...services.map(({ service, settings: own }) => service.environ(instance, own))),
    ...application.environ,
    ...settings.environ,
  }
  // A service may hand out a password of its own.
  registerSecretive(environ)
  return environ
}

/** Data lives where it is served from until services can live on other nodes: several web nodes would each have their own. */
export function refuseSplitData({ services, instance }: Application, nodes: number): void {
  const data = services.filter(({ service }) => service.data !== undefined).map(({ service }) => service.name)
  if (nodes < 2 || data.length === 0) return
  throw new KraftError({
    kind: 'setting',
    place: instance.project.place(['environments', instance.environment ?? '', 'nodes']),
    message: `${data.join(' and ')} would be separate on each of the ${nodes} nodes`,
    next: 'Give the environment one node, or point environ at a database elsewhere and leave the service out',
  })
}
