import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import { didYouMean } from '../engine/errors/nearest.js'
import { instanceNameProblem, nameOfFolder } from './name.js'
import { refusal } from './python-name.js'

/** What `kraft init` is asked to write. */
export interface SkeletonRequest {
  /** The project's folder; it may not exist yet, or be empty. */
  readonly folder: string
  /** As typed: the name of the project and of what it owns on a node. */
  readonly name: string
  /** A folder in `skeleton/` of the templates: django, flask, wsgi or a user's own. */
  readonly framework: string
  /** A folder of the user's that is the skeleton, in the place of any framework's. */
  readonly template?: string
  /** Folders of templates, strongest first: the user's own, then kraft's. Each may hold a part. */
  readonly templates: readonly string[]
  /** The version of kraft, for the skeleton's README. */
  readonly version: string
}

/** What the files of a skeleton can name, and what each is. */
export const skeletonVariables = {
  name: 'What was typed: the name of the project.',
  package: 'Its Python package: the same with `_` for `-`.',
  instance: 'What it owns on a node is called so.',
  version: 'The version of kraft.',
} as const

// Leaves room for `-stage` in the 31 characters of an instance's name.
const longest = 25

/**
 * The Python package of a project with this name. Throws a KraftError (`usage`) where the name can't be one, or can't name a
 * user and a database on a node.
 *
 * @example packageName('my-shop') // 'my_shop'
 */
export function packageName(name: string): string {
  const why = problem(name)
  if (why === undefined) return name.replaceAll('-', '_')
  const next = 'Take another name, as in: kraft init my-site'
  throw new KraftError({ kind: 'usage', message: `A project can't be called "${name}": ${why}`, next })
}

function problem(name: string): string | undefined {
  if (!/^[a-z][a-z0-9_-]*[a-z0-9]$/.test(name)) {
    return 'a name has two or more small letters, digits, - and _, starts with a letter and does not end with - or _'
  }
  if (name.length > longest) return `a name has ${longest} characters at the most`
  const owned = instanceNameProblem(nameOfFolder(name))
  return refusal(name.replaceAll('-', '_')) ?? (owned === undefined ? undefined : `it should have ${owned}`)
}

/**
 * Writes a new project from the templates in `skeleton/FRAMEWORK`, all of it or nothing, and returns what it wrote, relative to
 * the folder. A file that ends in `.ejs` is rendered with `name`, `package`, `instance` (what it owns
 * on a node is called so) and `version`, others are copied; `__name__` in
 * a path becomes the package's name; a text that starts with `#!` becomes executable. Throws a KraftError: `usage` for a bad name,
 * an unknown framework or a folder that holds something, `setting` for a mistake in a template.
 *
 * @example await writeSkeleton({ folder: 'shop', name: 'shop', framework: 'django', templates: [builtIn], version: '0.1.0' })
 */
export async function writeSkeleton(request: SkeletonRequest): Promise<string[]> {
  const files = await renderSkeleton(request)
  await writeBeside(resolve(request.folder), files)
  return [...files.keys()].sort()
}

/** What {@link writeSkeleton} would write, by path relative to the folder; writes nothing, and throws the same. */
export async function renderSkeleton(request: SkeletonRequest): Promise<ReadonlyMap<string, string | Buffer>> {
  const { name, framework, template, templates, version } = request
  const variables: Variables = { name, package: packageName(name), instance: nameOfFolder(name), version }
  await refuseFull(resolve(request.folder))
  return render(template === undefined ? await collect(templates, framework) : await own(template), variables)
}

async function refuseFull(folder: string): Promise<void> {
  const next = 'Take another name, or move what is there.'
  const there = await entries(folder, (code) => {
    if (code === 'ENOTDIR') throw new KraftError({ kind: 'usage', message: `${folder} is a file`, next })
  })
  if (there.length > 0)
    throw new KraftError({ kind: 'usage', message: `The folder ${folder} is not empty: it has ${there[0]}`, next })
}

type Variables = Readonly<Record<keyof typeof skeletonVariables, string>>

/** From a file's place in the project to the template that makes it. */
type Sources = ReadonlyMap<string, string>

async function collect(templates: readonly string[], framework: string): Promise<Sources> {
  const known = (await Promise.all(templates.map((root) => entries(join(root, 'skeleton'))))).flat()
  if (!known.includes(framework)) {
    const next = `Take one of: ${[...new Set(known)].sort().join(', ')}.`
    throw new KraftError({ kind: 'usage', message: `There is no skeleton "${framework}".${didYouMean(framework, known)}`, next })
  }
  const found = new Map<string, string>()
  // The weakest first, so that a stronger folder replaces file by file.
  for (const root of templates.toReversed()) {
    const top = join(root, 'skeleton', framework)
    for (const file of await filesBelow(top)) found.set(relative(top, file).replace(/\.ejs$/, ''), file)
  }
  return found
}

async function own(folder: string): Promise<Sources> {
  const files = (await filesBelow(folder)).map((file) => [relative(folder, file), file] as const)
  const kept = files.filter(([path]) => !/^\.git(\/|$)/.test(path))
  if (kept.length > 0) return new Map(kept.map(([path, file]) => [path.replace(/\.ejs$/, ''), file]))
  const next = 'Name a folder with the files of a project; those that end in .ejs are rendered.'
  throw new KraftError({ kind: 'usage', message: `The template ${folder} is no folder with files in it`, next })
}

async function render(sources: Sources, variables: Variables): Promise<ReadonlyMap<string, string | Buffer>> {
  const { default: ejs } = await import('ejs')
  const files = new Map<string, string | Buffer>()
  for (const [path, source] of sources) {
    const content = await readFile(source)
    const place = path.replaceAll('__name__', variables.package)
    if (!source.endsWith('.ejs')) files.set(place, content)
    else {
      try {
        files.set(place, ejs.render(content.toString(), variables, { filename: source, escape: String }))
      } catch (error) {
        throw templateError(source, error)
      }
    }
  }
  return files
}

// EJS starts a message with FILE:LINE, shows the lines around, and says what is wrong in the last one.
function templateError(file: string, error: unknown): KraftError {
  const message = error instanceof Error ? error.message : String(error)
  const line = /:(\d+)\n/.exec(message)?.[1]
  const why = line === undefined ? message.split('\n')[0] : message.trimEnd().split('\n').at(-1)
  const place = line === undefined ? { file } : { file, line: Number(line) }
  return new KraftError({ kind: 'setting', message: `The template does not render: ${why}`, place }, error)
}

async function writeBeside(folder: string, files: ReadonlyMap<string, string | Buffer>): Promise<void> {
  const parent = dirname(folder)
  const made = await mkdir(parent, { recursive: true })
  const beside = join(parent, `.${basename(folder)}.${randomBytes(6).toString('hex')}`)
  try {
    for (const [path, content] of files) {
      const file = join(beside, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content)
      if (content.toString().startsWith('#!')) await chmod(file, 0o755)
    }
    await rename(beside, folder)
  } catch (error) {
    await rm(made ?? beside, { recursive: true, force: true })
    const why = error instanceof Error ? error.message : String(error)
    throw new KraftError({ kind: 'task', message: `The project can't be written to ${folder}: ${why}` }, error)
  }
}

async function entries(folder: string, onError?: (code: unknown) => void): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    onError?.(code)
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  if ((await entries(folder)).length === 0) return []
  const all = await readdir(folder, { recursive: true, withFileTypes: true })
  return all
    .filter((entry) => !entry.isDirectory() && entry.name !== '.DS_Store')
    .map((entry) => join(entry.parentPath, entry.name))
}
