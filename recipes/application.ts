import { KraftError } from '../engine/errors/failure.js'
import type { NodeRecord } from '../engine/node/record.js'
import type { Secret } from '../engine/shell/secret.js'
import { registerSecretive } from '../engine/shell/secretive.js'
import { candidate, detectFramework, type Framework } from '../project/framework.js'
import type { Instance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import { type Requirements, readRequirements, requiredNames } from '../project/requirements.js'
import type { Service } from '../project/service.js'
import { wsgiOf } from '../project/settings.js'
import { staticAddress } from '../project/static-bucket.js'
import { placed } from './elsewhere.js'
import { type Fetched, fetchValues } from './fetched.js'
import { withFetchedSettings } from './fetched-settings.js'
import { loadKind, loadKinds } from './kinds.js'
import type { Release } from './release.js'

/** A service that the project asked for, with its settings. */
export interface UsedService {
  readonly service: Service
  readonly settings: Readonly<Record<string, unknown>>
  /** Where its server is, if not on the application's own node: another's name, or `url`. */
  readonly where?: string
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
  /** What `environ:` has in vaults, once {@link withFetched} has asked for it. */
  readonly fetched: Fetched
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
    fetched: {},
  }
}

/** The same with the values that are in vaults. A dry run fetches nothing, and says where each would come from. */
export async function withFetched(application: Application, dryRun: boolean, say: (text: string) => void): Promise<Application> {
  const { instance } = application
  const references = Object.entries(instance.settings.vaults)
  const [services, fetched] = await Promise.all([
    withFetchedSettings(application.services, instance, dryRun, say),
    dryRun ? {} : fetchValues(instance),
  ])
  if (!dryRun) return { ...application, services, fetched }
  for (const [name, { vault }] of references) say(`${name}: from ${vault}`)
  return { ...application, services, fetched: Object.fromEntries(references.map(([name, { vault }]) => [name, `from ${vault}`])) }
}

/** The services of an instance, loaded. */
export async function usedServices(instance: Instance): Promise<readonly UsedService[]> {
  return Promise.all(
    instance.settings.services.map(async (used) => {
      const [service, { withDefaults }] = await Promise.all([
        loadKind('services', used.name),
        import('../engine/config/section-of.js'),
      ])
      return placed(service, withDefaults(service.section, used.settings), instance)
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

/** Variables, and what they come from. */
export interface EnvironLayer {
  readonly from: string
  readonly values: Readonly<Record<string, string | Secret>>
}

/** What the application finds in its environment. What the user sets wins over what kraft gives. */
export function environOf(application: Application, release: Release, record: NodeRecord): EnvironLayer['values'] {
  return Object.assign({}, ...environLayers(application, release, record).map(({ values }) => values))
}

/** The same part by part, the weakest first. */
export function environLayers(application: Application, release: Release, record: NodeRecord): readonly EnvironLayer[] {
  const { instance, services, framework } = application
  const { settings } = instance
  const code = layout.release(instance, release.id)
  const given = {
    PYTHONUNBUFFERED: '1',
    PYTHONPATH: settings.src === undefined ? code : `${code}/${settings.src}:${code}`,
    DOMAIN: hostOf(instance, record),
    ALLOWED_HOSTS: hostsOf(instance, record).join(','),
    STATIC_URL: staticAddress(instance),
    ...(settings.cdn === undefined ? {} : { CDN_HOST: settings.cdn }),
    STATIC_ROOT: `${layout.meta(instance, release.id)}/public/static`,
    KRAFT_NAME: instance.name,
    KRAFT_ENV: instance.environment ?? '',
    KRAFT_RELEASE: release.id,
  }
  const layers = [
    { from: 'kraft', values: given },
    ...services.map(({ service, settings: own }) => ({
      from: `service ${service.name}`,
      values: service.environ(instance, own),
    })),
    { from: framework.name, values: application.environ },
    { from: 'kraftwerk.yaml', values: { ...settings.environ, ...application.fetched } },
  ]
  // A service may hand out a password of its own.
  for (const { values } of layers) registerSecretive(values)
  return layers
}

/** Data that lives where it is served from would be each node's own where there are several. */
export function refuseSplitData({ services, instance }: Application, nodes: number): void {
  const data = services.filter(({ service, where }) => service.data !== undefined && where === undefined)
  if (nodes < 2 || data.length === 0) return
  const movable = data.some(({ service }) => service.elsewhere !== undefined)
  throw new KraftError({
    kind: 'setting',
    place: instance.project.place(['environments', instance.environment ?? '', 'nodes']),
    message: `${data.map(({ service }) => service.name).join(' and ')} would be separate on each of the ${nodes} nodes`,
    next: movable
      ? 'Name a node that has the data, for example: nodes: { web: [a, b], db: [c] }, or the address of a server'
      : 'Give the environment one node, or point environ at a server elsewhere and leave the service out',
  })
}
