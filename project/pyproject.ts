import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import * as v from 'valibot'
import { KraftError } from '../engine/errors/failure.js'
import { tableRequirements } from './poetry.js'

const strings = v.array(v.string())
const Pyproject = v.object({
  project: v.optional(
    v.object({
      dependencies: v.optional(strings),
      'optional-dependencies': v.optional(v.record(v.string(), strings)),
      dynamic: v.optional(strings),
    }),
  ),
  tool: v.optional(v.object({ poetry: v.optional(v.object({ dependencies: v.optional(v.record(v.string(), v.unknown())) })) })),
})

/**
 * The dependencies in [project] of a pyproject.toml (and of its optional ones, by name), one requirement each; undefined where
 * the file is missing or has no dependencies, as one that only configures tools. Poetry's own table counts where [project] has
 * none. Throws a KraftError (`setting`) where it can't be
 * read or keeps its dependencies where kraft does not look.
 *
 * @example pyprojectRequirements('/home/me/shop', '.', ['s3']) // ['django~=5.2', 'boto3']
 */
export function pyprojectRequirements(folder: string, path: string, extras: readonly string[]): readonly string[] | undefined {
  const file = join(folder, path, 'pyproject.toml')
  if (!existsSync(file)) return undefined
  const { project, tool } = read(file)
  if (project?.dynamic?.includes('dependencies') === true) {
    const next = 'Write them as dependencies = […] in [project], or in a requirements.txt beside it.'
    throw new KraftError({
      kind: 'setting',
      message: 'The dependencies are dynamic: only a build knows them',
      place: { file },
      next,
    })
  }
  const table = tool?.poetry?.dependencies
  if (project?.dependencies === undefined && table !== undefined) {
    const { rows, unreadable } = tableRequirements(table)
    if (unreadable.length === 0) return rows
    const next = 'Move them to [project], or run: poetry export --output requirements.txt'
    const message = `Poetry's table of dependencies says for ${unreadable[0]} where it is, but not as pip would`
    throw new KraftError({ kind: 'setting', message, place: { file }, next })
  }
  if (project === undefined) return undefined
  const optional = extras.flatMap((extra) => {
    const found = project['optional-dependencies']?.[extra]
    if (found === undefined)
      throw new KraftError({ kind: 'setting', message: `There are no optional-dependencies "${extra}"`, place: { file } })
    return found
  })
  return [...(project.dependencies ?? []), ...optional].map((row) => row.replaceAll(/\s+/g, ' ').trim())
}

function read(file: string): v.InferOutput<typeof Pyproject> {
  let data: unknown
  try {
    data = parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const message = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, 'This is not TOML: ')
    throw new KraftError({ kind: 'setting', message, place: { file, line: error.line, column: error.column } }, error)
  }
  const checked = v.safeParse(Pyproject, data)
  if (checked.success) return checked.output
  const [issue] = checked.issues
  throw new KraftError({
    kind: 'setting',
    message: `${v.getDotPath(issue) ?? 'pyproject'} is not as PEP 621 says: ${issue.message}`,
    place: { file },
  })
}
