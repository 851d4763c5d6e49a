import type { Effective } from '../engine/config/effective.js'
import { isMap, valueAt } from '../engine/config/value-at.js'
import { readYaml, type YamlPath } from '../engine/config/yaml.js'
import { formatPlace } from '../engine/errors/failure.js'
import { mask } from '../engine/shell/redact.js'
import { instanceOf } from './instance.js'
import { environmentSection, type Named } from './section.js'
import type { Project } from './settings.js'
import { isWrittenSecret } from './written-secret.js'

/** What one place says, as it is written there. */
interface Layer {
  readonly value: unknown
  /** The text of a value as it stands there. */
  readonly source?: (path: YamlPath) => string | undefined
  from(path: YamlPath): string
}

/** How many levels down the maps of several places are merged; all else is replaced as a whole. */
const merged: Readonly<Record<string, number>> = {
  environ: 1,
  processes: 1,
  cron: 1,
  hooks: 1,
  health: 1,
  https: 1,
  cache: 1,
  protect: 1,
  backup: 2,
  static_bucket: 1,
}

/**
 * What counts of kraftwerk.yaml for an environment, or for the project without one, and where each comes from: a variable, a place in the
 * file, a default. As it is written there, secrets masked; what is set nowhere and has no default is left out.
 *
 * @example await effectiveProject(project, 'stage', known) // [{ setting: 'workers', value: '1', from: '/shop/kraftwerk.yaml:9:5' }, …]
 */
export async function effectiveProject(
  project: Project,
  environment: string | undefined,
  known: Named,
): Promise<readonly Effective[]> {
  const { variable, variables } = await import('../engine/config/variables.js')
  // What is secret in it is registered here.
  const { settings } = instanceOf(project, environment)
  const section = environmentSection(known)
  const { name: _name, ...fromVariables } = section
  const yaml = await readYaml(project.file)
  const inFile = (prefix: YamlPath): Layer => ({
    value: valueAt(yaml.value, prefix),
    source: (path) => yaml.source([...prefix, ...path]),
    from: (path) => formatPlace(yaml.place([...prefix, ...path], 'key')),
  })
  const defaults = Object.entries(section).flatMap(([key, { schema }]) =>
    'default' in schema && !isEmpty(schema.default) ? [[key, schema.default] as const] : [],
  )
  const layers: readonly Layer[] = [
    {
      value: (await variables(fromVariables))?.value,
      from: ([key]) => variable('KRAFT_', String(key)),
    },
    ...(environment === undefined ? [] : [inFile(['environments', environment])]),
    inFile([]),
    { value: { ...Object.fromEntries(defaults), name: project.name, health: settings.health }, from: () => 'default' },
  ]
  const isReplaced = ([key, part]: YamlPath) =>
    key === 'https' && part !== undefined && !Object.hasOwn(settings.https ?? {}, part)
  return Object.keys(section)
    .flatMap((key) => leaves([key], layers, merged[key] ?? 0))
    .filter(({ path }) => !isReplaced(path))
    .map(({ path, value, from }) => ({ setting: path.join('.'), value: shown(path.at(-1), value), from }))
}

interface Leaf {
  readonly path: YamlPath
  readonly value: unknown
  readonly from: string
}

/** The values below a path: of the strongest layer that says it, or where those are maps key by key. */
function leaves(path: YamlPath, layers: readonly Layer[], depth: number): readonly Leaf[] {
  const said = layers.flatMap((layer) => {
    const value = valueAt(layer.value, path)
    return value === undefined || value === null
      ? []
      : [{ layer, value, leaf: { path, value: written(layer, path, value), from: layer.from(path) } }]
  })
  const end = said.findIndex(({ value }) => depth === 0 || !isMap(value))
  const maps = end < 0 ? said : said.slice(0, end)
  const plain = end < 0 ? undefined : said[end]
  if (maps.length === 0) return plain === undefined ? [] : [plain.leaf]
  const keys = new Set(maps.toReversed().flatMap(({ value }) => Object.keys(Object(value))))
  const below = plain !== undefined && outlives(path, plain.value, keys) ? [plain.leaf] : []
  const layersOfMaps = maps.map(({ layer }) => layer)
  // Of a backup only `keep` is merged itself.
  const deeper = (key: string) => (path[0] === 'backup' && key !== 'keep' ? 0 : depth - 1)
  return [...below, ...[...keys].flatMap((key) => leaves([...path, key], layersOfMaps, deeper(key)))]
}

/** Whether a word goes on to hold below a map: `https: auto`, and the path of `health: /up`. Others are replaced by one. */
function outlives([key]: YamlPath, value: unknown, keys: ReadonlySet<string>): boolean {
  return (key === 'https' && value === 'auto') || (key === 'health' && !keys.has('path'))
}

// 1.10 of a variable of the environment is not 1.1.
function written(layer: Layer, path: YamlPath, value: unknown): unknown {
  return path[0] === 'environ' ? (layer.source?.(path) ?? value) : value
}

function shown(key: string | number | undefined, value: unknown): string {
  const open = masked(key, value)
  return typeof open === 'string' ? open : JSON.stringify(open)
}

function masked(key: string | number | undefined, value: unknown): unknown {
  if (isWrittenSecret(key, value)) return mask
  if (Array.isArray(value)) return value.map((each) => masked(key, each))
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, masked(name, each)])) : value
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
}
