import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { KraftError } from '../errors/failure.js'
import { didYouMean } from '../errors/nearest.js'
import { register } from '../shell/redact.js'
import type { Section } from './section.js'
import type { Problem, Values } from './validate.js'
import { parseYaml, type YamlFile, type YamlPath } from './yaml.js'

/** A layer of settings of one provider. */
export type Layer = Readonly<Record<string, unknown>>

/** `~/.kraftwerk.yaml` with the `KRAFT_*` variables over it. */
export interface UserSettings {
  /** The file, where there is one. */
  readonly file: string | undefined
  readonly provider: string | undefined
  readonly default_node: string | undefined
  /** A folder that overrides templates, absolute. */
  readonly templates: string | undefined
  /** The file of the user's public key, absolute. */
  readonly pubkey: string | undefined
  /** Seconds that a connection stays open after its last use, where somebody said so; 0 closes it at once. */
  readonly keep_connections?: number | undefined
  /** What was set for each provider, without defaults. */
  readonly providers: Readonly<Record<string, Layer>>
  /** Lines to show: others can read the file, say. */
  readonly warnings: readonly string[]
}

// The original's file had the keys of its one provider at the top.
const flatKeys = ['user', 'secret', 'image_id', 'size_id', 'securitygroup', 'keyname', 'location_id']

/**
 * Reads `~/.kraftwerk.yaml`. `KRAFT_*` variables win: `KRAFT_PROVIDER`, `KRAFT_EC2_SECRET`. The sections are those of the known
 * providers, by name; one that is given as a function is only loaded where something is set for it. Throws a KraftError `setting`
 * for the first mistake.
 *
 * @example const { providers } = await loadUserSettings({ ec2: ec2.section, local: local.section })
 */
export async function loadUserSettings(
  sections: Readonly<Record<string, Section | (() => Promise<Section>)>>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<UserSettings> {
  const given = Object.keys(environment).filter((key) => key.startsWith('KRAFT_'))
  const isThere = existsSync(join(homedir(), '.kraftwerk.yaml'))
  // Most people set nothing, and all that follows takes longer to load than most tasks take to run.
  if (!isThere && given.length === 0) return nothingSet
  const [{ checkLayer, refuse }, { variable, variables }, { placeholders, userSection }] = await Promise.all([
    import('./validate.js'),
    import('./variables.js'),
    import('./user-section.js'),
  ])
  const found = isThere ? await readUserFile() : undefined
  const names = Object.keys(sections)
  const problems: Problem[] = []
  const read = <S extends Section>(section: S, file: YamlFile | undefined, path: YamlPath = []): Partial<Values<S>> => {
    if (file === undefined) return {}
    const { values, problems: wrong } = checkLayer(section, file, path)
    problems.push(...wrong)
    return values
  }

  const file = found === undefined ? undefined : settled(found.content)
  const own = userSection(names)
  const whole = { ...placeholders([...names, ...flatKeys]), ...own }
  const top: Partial<Values<typeof own>> = { ...read(whole, file), ...read(own, await variables(own, 'KRAFT_', environment)) }
  refuse(problems)

  const providers: Record<string, Layer> = {}
  const used: Record<string, Section> = {}
  for (const [name, known] of Object.entries(sections)) {
    const prefix = variable('KRAFT_', `${name}_`)
    if (name !== top.provider && !hasKey(file, name) && !given.some((key) => key.startsWith(prefix))) continue
    const section = typeof known === 'function' ? await known() : known
    used[name] = section
    const nested: Layer = read(section, file, [name])
    const flat: Layer = name === top.provider ? read(section, only(file, flatKeys)) : {}
    for (const key of Object.keys(flat)) {
      if (!Object.hasOwn(nested, key) || file === undefined) continue
      problems.push({ message: `"${key}" is also in "${name}": no value has two homes`, place: file.place([key], 'key') })
    }
    const layer = { ...flat, ...nested, ...read(section, await variables(section, prefix, environment)) }
    if (Object.keys(layer).length > 0) providers[name] = layer
  }
  if (file !== undefined && top.provider === undefined) problems.push(...homeless(file, names))
  refuse(problems)
  return {
    file: found?.file,
    provider: top.provider,
    default_node: top.default_node,
    templates: absolute(top.templates),
    pubkey: absolute(top.pubkey),
    keep_connections: top.keep_connections === false ? 0 : top.keep_connections,
    providers,
    warnings: found === undefined ? [] : await openSecrets(found.file, found.content, used),
  }
}

/** What counts where nothing is set. */
export const nothingSet: UserSettings = {
  file: undefined,
  provider: undefined,
  default_node: undefined,
  templates: undefined,
  pubkey: undefined,
  providers: {},
  warnings: [],
}

async function readUserFile() {
  const { explorer } = await import('./explorer.js')
  const search = await explorer(['.kraftwerk.yaml'], (file, text) => parseYaml(text, file))
  return search(homedir())
}

function hasKey(file: YamlFile | undefined, key: string): boolean {
  return typeof file?.value === 'object' && file.value !== null && Object.hasOwn(file.value, key)
}

/**
 * The settings of one provider: what the command line gave over what the user set over the defaults, validated. Throws a
 * KraftError `usage` that names the option as `typed` says it.
 *
 * @example await providerSettings(user, 'ec2', ec2.section, { size: 't3.small' })
 */
export async function providerSettings(
  user: UserSettings,
  name: string,
  section: Section,
  options: Layer = {},
  typed: (key: string) => string = (key) => `--set ${key}`,
): Promise<Layer> {
  const [{ describe }, { safeParse }] = await Promise.all([import('./validate.js'), import('valibot')])
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(section, key)) {
      throw new KraftError({
        kind: 'usage',
        message: `The provider ${name} has no setting "${key}".${didYouMean(key, Object.keys(section))}`,
        next: `Its settings: ${Object.keys(section).join(', ')}`,
      })
    }
  }
  const set = user.providers[name]
  const values: Record<string, unknown> = {}
  for (const [key, { schema, secret, doc }] of Object.entries(section)) {
    const option = Object.hasOwn(options, key) ? options[key] : undefined
    if (secret === true && typeof option === 'string') register(option)
    // What the files hold was validated, and transformed, when it was read.
    if (option === undefined && set !== undefined && Object.hasOwn(set, key)) {
      values[key] = set[key]
      continue
    }
    const result = safeParse(schema, option)
    if (result.success) values[key] = result.output
    else if (option !== undefined)
      throw new KraftError({ kind: 'usage', message: describe(result.issues[0], typed(key), secret) })
    else {
      const message = `The provider ${name} needs "${key}": ${doc}`
      throw new KraftError({ kind: 'setting', message, place: { file: user.file ?? join(homedir(), '.kraftwerk.yaml') } })
    }
  }
  return values
}

/** Without the keys that have nothing behind them: `ec2:` alone sets nothing. */
function settled(file: YamlFile): YamlFile {
  return narrowed(file, (_key, value) => value !== null)
}

function only(file: YamlFile | undefined, keys: readonly string[]): YamlFile | undefined {
  return file === undefined ? undefined : narrowed(file, (key) => keys.includes(key))
}

function narrowed(file: YamlFile, keep: (key: string, value: unknown) => boolean): YamlFile {
  const { value } = file
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return file
  return { ...file, value: Object.fromEntries(Object.entries(value).filter(([key, each]) => keep(key, each))) }
}

function homeless(file: YamlFile, names: readonly string[]): readonly Problem[] {
  const { value } = file
  const keys = typeof value === 'object' && value !== null ? Object.keys(value).filter((key) => flatKeys.includes(key)) : []
  return keys.map((key) => ({
    message: `"${key}" belongs to a provider, and none is chosen`,
    place: file.place([key], 'key'),
    next: `Add "provider: NAME" (${names.join(', ')}), or move it below the provider's name`,
  }))
}

async function openSecrets(
  file: string,
  yaml: YamlFile,
  sections: Readonly<Record<string, Section>>,
): Promise<readonly string[]> {
  const { mode } = await stat(file)
  if ((mode & 0o044) === 0) return []
  const written = (path: readonly string[]) => yaml.source(path) !== undefined
  const secrets = Object.entries(sections).flatMap(([name, section]) =>
    Object.keys(section).filter((key) => section[key]?.secret === true && (written([key]) || written([name, key]))),
  )
  if (written(['secret'])) secrets.push('secret')
  const list = [...new Set(secrets)].join(', ')
  return list === '' ? [] : [`${file} holds secrets (${list}) and others can read it: chmod 600 ${file}`]
}

function absolute(path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  return resolve(homedir(), path.replace(/^~(?=\/|$)/, homedir()))
}
