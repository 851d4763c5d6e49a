import { safeParse } from 'valibot'
import { formatPlace } from '../errors/failure.js'
import { mask } from '../shell/redact.js'
import type { Key, Section } from './section.js'
import type { UserSettings } from './user.js'
import { userSection } from './user-section.js'
import { parseYaml, readText, type YamlText } from './yaml.js'

/** A setting as it counts. */
export interface Effective {
  readonly setting: string
  /** As it would be written; a secret is masked. */
  readonly value: string
  /** A variable, a place in the file, or `default`. */
  readonly from: string
}

interface Named {
  readonly name: string
  readonly section: Section
}

/** What counts of the user's own settings and of those of these providers, and where each comes from. */
export async function effective(
  user: UserSettings,
  names: readonly string[],
  providers: readonly Named[],
  environ: Readonly<Record<string, string | undefined>> = process.env,
): Promise<readonly Effective[]> {
  const { variable } = await import('./variables.js')
  const file = user.file === undefined ? undefined : await parseYaml(await readText(user.file), user.file)
  const own: Readonly<Record<string, unknown>> = { ...user }
  const top = Object.entries(userSection(names)).map(([key, spec]) =>
    row(key, spec, own[key], sourceOf(file, environ, variable('KRAFT_', key), [[key]])),
  )
  const below = providers.flatMap(({ name, section }) => {
    const set = user.providers[name] ?? {}
    return Object.entries(section).map(([key, spec]) => {
      const paths = name === user.provider ? [[name, key], [key]] : [[name, key]]
      const from = sourceOf(file, environ, variable('KRAFT_', `${name}_${key}`), paths)
      return row(`${name}.${key}`, spec, Object.hasOwn(set, key) ? set[key] : undefined, from, environ)
    })
  })
  return [...top, ...below].filter((each) => each !== undefined)
}

function row(
  setting: string,
  { schema, secret, variables = [] }: Key,
  value: unknown,
  from: string | undefined,
  environ: Readonly<Record<string, string | undefined>> = {},
): Effective | undefined {
  if (value !== undefined) return { setting, value: secret === true ? mask : shown(value), from: from ?? 'default' }
  const other = variables.find((name) => (environ[name] ?? '') !== '')
  if (other !== undefined) return { setting, value: secret === true ? mask : (environ[other] ?? ''), from: other }
  const result = safeParse(schema, undefined)
  if (!result.success) return { setting, value: '', from: 'missing' }
  return result.output === undefined ? undefined : { setting, value: shown(result.output), from: 'default' }
}

function sourceOf(
  file: YamlText | undefined,
  environ: Readonly<Record<string, string | undefined>>,
  name: string,
  paths: readonly (readonly string[])[],
): string | undefined {
  if ((environ[name] ?? '') !== '') return name
  const path = paths.find((each) => file?.document.hasIn(each) === true)
  return file === undefined || path === undefined ? undefined : formatPlace(file.place(path, 'key'))
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
