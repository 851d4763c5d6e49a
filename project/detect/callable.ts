import type { Finding } from './finding.js'
import { assignment, type Statement, statements } from './python-source.js'
import { moduleOf, type ProjectTree, programFiles } from './tree.js'

interface Seen {
  readonly file: string
  readonly line: number
  readonly name: string
  /** The smaller, the likelier. */
  readonly rank: number
}

const files = ['wsgi.py', 'app.py', 'application.py', 'main.py', 'run.py', 'server.py', '__init__.py']
const names = ['application', 'app', 'server', 'create_app()', 'make_app()', 'create_application()']

/**
 * The WSGI callable of a project, where it is made by one of these calls, by a factory that needs no arguments, or is a function of
 * WSGI's own two: the likeliest by its file's name, its own name and how near to the top it is. Nothing where there is none.
 *
 * @example findCallable(tree, /^Flask\(/) // [{ what: 'the WSGI callable', file: 'shop/app.py', line: 3, sets: { wsgi: 'shop.app:app' } }]
 */
export function findCallable(tree: ProjectTree, made: RegExp): readonly Finding[] {
  const seen = programFiles(tree).flatMap((file) => callablesIn(tree.read(file) ?? '', file, made))
  const [best, ...others] = seen.sort((one, other) => one.rank - other.rank)
  if (best === undefined) return []
  const { module, src: root } = moduleOf(tree, best.file)
  // A module at the top may import packages in src/.
  const src = root === '' && tree.files.some((file) => /^src\/[^/]+\/__init__\.py$/.test(file)) ? 'src' : root
  const wsgi = `${module}:${best.name}`
  const rivals = others.filter(({ rank }) => rank === best.rank).map(({ file, line }) => `${file}:${line}`)
  return [
    {
      what: `the WSGI callable ${wsgi}`,
      file: best.file,
      line: best.line,
      sets: { wsgi, ...(src === '' ? {} : { src }) },
      ...(rivals.length === 0 ? {} : { todo: `There are others that look the same: ${rivals.join(', ')}` }),
    },
  ]
}

function callablesIn(source: string, file: string, made: RegExp): readonly Seen[] {
  const base = file.split('/').at(-1) ?? ''
  const place = files.includes(base) ? files.indexOf(base) : files.length
  const depth = file.split('/').length
  return statements(source).flatMap((statement) => {
    const name = statement.indent === 0 ? callable(statement, made, base) : undefined
    if (name === undefined) return []
    const called = names.includes(name) ? names.indexOf(name) : names.length
    // What is there already comes before what has to be called, if both are called as one would expect.
    const rank = (name.endsWith(')') ? 60 : 0) + place * 100 + called * 10 + depth
    return [{ file, line: statement.line, name, rank }]
  })
}

function callable(statement: Statement, made: RegExp, file: string): string | undefined {
  const [, defined, parameters = ''] = /^def (\w+)\(([\s\S]*)\)[^)]*:/.exec(statement.text) ?? []
  if (defined !== undefined) {
    if (/^\s*environ\b[^,]*,\s*start_response\b/.test(parameters)) return defined
    const optional = parameters.split(/,(?![^[(]*[\])])/).every((each) => /^\s*$|=|^\s*\*/.test(each))
    return /^(create|make)_(app|application)$/.test(defined) && optional ? `${defined}()` : undefined
  }
  const { name, value } = assignment(statement) ?? {}
  if (name === undefined || value === undefined) return undefined
  const factory =
    /^(\w+\.)?(create|make)_(wsgi_)?(app|application)\(/.test(value) || (file === 'wsgi.py' && /^app(lication)?$/.test(name))
  return factory || made.test(value) ? name : undefined
}
