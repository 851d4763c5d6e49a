import { basename, dirname } from 'node:path'
import { nearestProjectFile } from '../engine/config/nearest-project.js'
import type { Section } from '../engine/config/section.js'
import type { Checked, Problem, Values } from '../engine/config/validate.js'
import { readYaml, type YamlFile, type YamlPath } from '../engine/config/yaml.js'
import { KraftError, type Place } from '../engine/errors/failure.js'
import { mergeBackup } from './backup.js'
import type { BackupMap } from './backup-schema.js'
import type { CacheRule } from './cache-schema.js'
import { type HttpsSetting, mergeHttps } from './https-setting.js'
import type { IndexSetting } from './index-schema.js'
import { instanceNameProblem, nameOfFolder } from './name.js'
import type { EnvironmentNode } from './nodes-schema.js'
import type { Notification } from './notify.js'
import type { CronSetting, HookCommand, HookName, ProcessSetting } from './program-keys.js'
import { type Protect, protectOf } from './protect.js'
import { type KnownVaults, referenceProblems, wrongReferences } from './reference-problems.js'
import type { environmentSection, Named, projectSection } from './section.js'
import type { ServiceSetting } from './service-schema.js'
import { mergeStaticBucket } from './static-bucket.js'
import type { StaticBucketMap } from './static-bucket-schema.js'
import type { Superuser } from './superusers-schema.js'
import { isReference, type Reference } from './vault.js'

export type { EnvironmentNode } from './nodes-schema.js'
export type { ServiceSetting } from './service-schema.js'
export type { Superuser } from './superusers-schema.js'

/** What settings may name, and how to learn what it can be set to. */
export interface Known extends Named, KnownVaults {
  /** The section of a service that a file names, to validate its settings. */
  section?(service: string): Promise<Section | undefined>
}

/** How a new release proves that it works. */
export interface Health {
  readonly path: string
  /** Codes that count as healthy; empty: whatever is below 400. */
  readonly status: readonly number[]
  /** Seconds for each try. */
  readonly timeout: number
  readonly tries: number
}

/** What counts for one instance: kraftwerk.yaml with the overrides of its environment, and defaults. */
export interface InstanceSettings {
  /** The instance: its user, database and folder on the node. */
  readonly name: string
  readonly environment: string | undefined
  readonly nodes: readonly EnvironmentNode[]
  readonly live: boolean
  readonly domain: string | undefined
  readonly aliases: readonly string[]
  readonly https: HttpsSetting | undefined
  /** `module.module:callable`. */
  readonly wsgi: string | undefined
  readonly workers: number
  readonly threads: number | undefined
  readonly packages: readonly string[]
  /** Where packages come from; empty: what the node is set to, else PyPI. */
  readonly index: readonly IndexSetting[]
  readonly apt: readonly string[]
  readonly services: readonly ServiceSetting[]
  readonly backup: BackupMap | undefined
  /** Relative paths. */
  readonly shared: readonly string[]
  readonly environ: Readonly<Record<string, string>>
  /** Variables whose values are in a vault. */
  readonly vaults: Readonly<Record<string, Reference>>
  readonly package: string | undefined
  readonly src: string | undefined
  readonly python: string | undefined
  /** A command, false for none, undefined for what the framework does. */
  readonly release: string | false | undefined
  readonly health: Health
  /** Bytes. */
  readonly max_body: number
  /** Seconds. */
  readonly timeout: number
  /** Seconds; undefined: as long as a request may take. */
  readonly drain: number | undefined
  /** How many releases stay on a node. */
  readonly keep: number
  /** A deploy keeps a copy of all data before its release command runs. */
  readonly snapshot: boolean
  /** What makes the data of other environments harmless: files of SQL, or commands. */
  readonly sanitize: readonly string[]
  readonly notify: readonly Notification[]
  readonly superusers: readonly Superuser[]
  /** A path with a slash at both ends. */
  readonly static_url: string
  readonly cdn: string | undefined
  readonly static_bucket: StaticBucketMap | undefined
  /** Rules by path. */
  readonly cache: Readonly<Record<string, CacheRule>>
  readonly protect: Protect | undefined
  /** Programs that are kept running, by name. */
  readonly processes: Readonly<Record<string, ProcessSetting>>
  /** Commands at set times, by name. */
  readonly cron: Readonly<Record<string, CronSetting>>
  /** Seconds that a statement of the release command waits for a lock; 0 for ever. */
  readonly lock_timeout: number | undefined
  readonly hooks: Readonly<Partial<Record<HookName, readonly HookCommand[]>>>
}

type Top = Values<ReturnType<typeof projectSection>>
/** What one place says: an environment, or variables; all of it may be left out. */
export type Layer = Partial<Values<ReturnType<typeof environmentSection>>>

type Environ = Readonly<Record<string, string | Reference>>

/** A folder with a kraftwerk.yaml. */
export interface Project {
  readonly folder: string
  readonly file: string
  /** `name:` of kraftwerk.yaml, else the folder's. */
  readonly name: string
  readonly settings: Top
  readonly environments: Readonly<Record<string, Layer>>
  /** What `KRAFT_*` variables say, which wins over the file: `KRAFT_WORKERS`. Never the name: it decides whose data is meant. */
  readonly variables?: Layer
  /** Where a key stands, for messages. */
  place(path: YamlPath, of?: 'key' | 'value'): Place
}

/**
 * Reads the nearest kraftwerk.yaml at or above a folder. Undefined where there is none; throws a KraftError `setting` for the
 * first mistake in it.
 *
 * @example const project = await loadProject(process.cwd(), { services: ['postgres', 'files'] })
 */
export async function loadProject(from: string, known: Known): Promise<Project | undefined> {
  const file = nearestProjectFile(from)
  if (file === undefined) return undefined
  const [{ check, checkLayer, refuse }, { variables }, sections] = await Promise.all([
    import('../engine/config/validate.js'),
    import('../engine/config/variables.js'),
    import('./section.js'),
  ])
  const yaml = await readYaml(file)
  const top = check(sections.projectSection(known), yaml)
  const problems: Problem[] = [
    ...top.problems,
    ...(await serviceProblems(top.values.services, yaml, [], known, check)),
    ...(await referenceProblems(top.values, yaml, [], known)),
  ]
  const environments: Record<string, Layer> = {}
  for (const name of Object.keys(top.values.environments ?? {})) {
    const path = ['environments', name]
    const layer = checkLayer(sections.environmentSection(known), yaml, path)
    problems.push(
      ...layer.problems,
      ...(await serviceProblems(layer.values.services, yaml, path, known, check)),
      ...(await referenceProblems(layer.values, yaml, path, known)),
    )
    environments[name] = withSources(layer.values, yaml, path)
  }
  refuse(problems)
  const { default_node } = sections.projectSection(known)
  const { name: _name, ...instance } = sections.instanceSection(known)
  const given = await variables({ ...instance, default_node })
  const said = given === undefined ? undefined : checkLayer({ ...instance, default_node }, given)
  const asked =
    given === undefined
      ? []
      : [
          ...(await serviceProblems(said?.values.services, given, [], known, check)),
          ...(await referenceProblems(said?.values ?? {}, given, [], known)),
        ]
  refuse([...(said?.problems ?? []), ...asked])
  const { default_node: node = top.values.default_node, ...overrides } = said?.values ?? {}
  const folder = dirname(file)
  const project: Project = {
    folder,
    file,
    name: top.values.name ?? folderName(folder, file),
    settings: { ...withSources(top.values, yaml, []), default_node: node },
    environments,
    variables: overrides,
    place: (path, of) => yaml.place(path, of),
  }
  refuseSharedNames(project)
  return project
}

/**
 * What counts for an environment, or for the project without one. Maps merge, lists replace. Throws a KraftError `usage` for
 * an environment that the project does not have.
 *
 * @example instanceSettings(project, 'stage').workers
 */
export function instanceSettings(project: Project, environment?: string): InstanceSettings {
  const { version: _version, environments: _environments, default_node: _node, ...top } = project.settings
  const layer = environment === undefined ? {} : environmentOf(project, environment)
  const { variables = {} } = project
  const environ: Environ = { ...top.environ, ...layer.environ, ...variables.environ }
  return {
    nodes: [],
    live: false,
    ...top,
    ...layer,
    ...variables,
    environment,
    name: layer.name ?? project.name,
    environ: Object.fromEntries(Object.entries(environ).flatMap(([name, value]) => (isReference(value) ? [] : [[name, value]]))),
    vaults: Object.fromEntries(Object.entries(environ).flatMap(([name, value]) => (isReference(value) ? [[name, value]] : []))),
    processes: { ...top.processes, ...layer.processes, ...variables.processes },
    https: mergeHttps(top.https, layer.https, variables.https),
    cache: { ...top.cache, ...layer.cache, ...variables.cache },
    backup: mergeBackup(top.backup, layer.backup, variables.backup),
    static_bucket: mergeStaticBucket(top.static_bucket, layer.static_bucket, variables.static_bucket),
    protect: protectOf(top.protect, layer.protect, variables.protect),
    cron: { ...top.cron, ...layer.cron, ...variables.cron },
    hooks: { ...top.hooks, ...layer.hooks, ...variables.hooks },
    health: { path: '/', status: [], timeout: 10, tries: 30, ...top.health, ...layer.health, ...variables.health },
  }
}

/** The WSGI callable: from the settings, else what was detected. Throws a KraftError that names the key. */
export function wsgiOf(project: Project, settings: InstanceSettings, detected?: string): string {
  const wsgi = settings.wsgi ?? detected
  if (wsgi !== undefined) return wsgi
  throw new KraftError({
    kind: 'setting',
    message: '"wsgi" is missing, and no framework was found that tells it',
    place: { file: project.file },
    next: 'Add the callable, for example: wsgi: calculator.wsgi:application',
  })
}

function environmentOf(project: Project, name: string): Layer {
  const layer = Object.hasOwn(project.environments, name) ? project.environments[name] : undefined
  if (layer !== undefined) return layer
  const known = Object.keys(project.environments)
  const message = `${project.name} has no environment "${name}"`
  throw new KraftError({ kind: 'usage', message, ...(known.length === 0 ? {} : { next: `It has ${known.join(', ')}` }) })
}

// A variable's value is what was written: 1.10 is not 1.1, and True is not true.
function withSources<T extends { readonly environ?: Environ }>(values: T, yaml: YamlFile, path: YamlPath): T {
  if (values.environ === undefined) return values
  const written = Object.entries(values.environ).map(([key, value]) => [key, yaml.source([...path, 'environ', key]) ?? value])
  return { ...values, environ: Object.fromEntries(written) }
}

type Check = (section: Section, file: YamlFile, path: YamlPath) => Checked<Readonly<Record<string, unknown>>>

async function serviceProblems(
  services: readonly ServiceSetting[] | undefined,
  yaml: YamlFile,
  path: YamlPath,
  known: Known,
  check: Check,
): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  const seen = new Set<string>()
  for (const [index, { name }] of (services ?? []).entries()) {
    const at = [...path, 'services', index]
    if (seen.has(name)) problems.push({ message: `The service "${name}" is here twice`, place: yaml.place(at) })
    seen.add(name)
    const section = await known.section?.(name)
    // What it needs is asked for also where nothing is set.
    if (section === undefined) continue
    const checked = check(section, yaml, [...at, name])
    const values = Object.entries(checked.values)
    const said = values.map(([key, value]) => ({ name: `services.${name}.${key}`, at: [...at, name, key], value }))
    problems.push(...checked.problems, ...(await wrongReferences(said, yaml, known)))
  }
  return problems
}

function folderName(folder: string, file: string): string {
  const name = nameOfFolder(basename(folder))
  const wrong = instanceNameProblem(name)
  if (wrong === undefined) return name
  const message = `The folder's name "${basename(folder)}" cannot name the project, which should have ${wrong}`
  throw new KraftError({ kind: 'setting', message, place: { file }, next: 'Add a name, for example: name: calculator' })
}

/** Two environments with one name on one node would overwrite each other. */
function refuseSharedNames(project: Project): void {
  const owners = new Map<string, string>()
  for (const environment of Object.keys(project.environments)) {
    const { name, nodes } = instanceSettings(project, environment)
    for (const node of nodes) {
      const other = owners.get(`${name} ${node.name}`)
      if (other !== undefined) {
        throw new KraftError({
          kind: 'setting',
          message: `${other} and ${environment} are both called "${name}" on the node ${node.name}`,
          place: project.place(['environments', environment], 'key'),
          next: `Give one a name of its own, for example: name: ${name}-${environment}`,
        })
      }
      owners.set(`${name} ${node.name}`, environment)
    }
  }
}
