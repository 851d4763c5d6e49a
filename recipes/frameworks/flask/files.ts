import { posix } from 'node:path'
import type { Detector, Finding } from '../../../project/detect/finding.js'
import { pathOf } from '../../../project/detect/python-path.js'
import { type Assignment, assignment, literal, statements, variablesIn } from '../../../project/detect/python-source.js'
import { moduleOf, programFiles } from '../../../project/detect/tree.js'

/**
 * What a Flask application says of files: where its static ones are served, the folder of its uploads, and a SQLite database, which
 * Flask-SQLAlchemy keeps in the instance folder.
 */
export const inspectFiles: Detector = (tree) =>
  programFiles(tree).flatMap((file) => {
    const text = tree.read(file) ?? ''
    if (!/static_url_path|UPLOAD_FOLDER|SQLALCHEMY_DATABASE_URI/.test(text)) return []
    const instance = posix.join(moduleOf(tree, file).src, 'instance')
    const names = new Map<string, Assignment & { readonly file: string }>()
    return statements(text).flatMap((statement): readonly Finding[] => {
      const place = { file, line: statement.line }
      const given = assignment(statement)
      if (given !== undefined) names.set(given.name, { ...given, file })
      const uploads = assigned(statement.text, 'UPLOAD_FOLDER')
      const database = assigned(statement.text, 'SQLALCHEMY_DATABASE_URI')
      return [
        ...staticAt(statement.text, place),
        ...(uploads === undefined ? [] : uploadsIn(uploads, pathOf(uploads, file, names), place)),
        ...(database === undefined ? [] : sqliteIn(database, instance, place)),
      ]
    })
  })

interface Seen {
  readonly file: string
  readonly line: number
}

// Of a module or a class, of app.config, or of what is handed to from_mapping.
function assigned(statement: string, name: string): string | undefined {
  const plain = new RegExp(`^(?:[\\w.]*config\\[["']${name}["']\\]|${name})\\s*(?::[^=]+)?=(?!=)\\s*([\\s\\S]+)$`).exec(
    statement,
  )?.[1]
  return (
    plain ??
    new RegExp(`[(,]\\s*${name}\\s*=\\s*((?:"[^"]*"|'[^']*'|[^,()]|\\([^()]*(?:\\([^()]*\\)[^()]*)*\\))+)`).exec(statement)?.[1]
  )
}

function staticAt(statement: string, place: Seen): readonly Finding[] {
  const path = /\bstatic_url_path\s*=\s*["'](\/?[\w~./-]*)["']/.exec(statement)?.[1]
  if (path === undefined) return []
  const url = `/${path.replace(/^\/+|\/+$/g, '')}/`
  if (url === '//' || url === '/static/') return [{ what: `static files at ${url.replace('//', '/')}`, ...place }]
  return [{ what: `static files at ${url}`, ...place, sets: { static_url: url } }]
}

function uploadsIn(value: string, path: string | undefined, place: Seen): readonly Finding[] {
  // Which is found by its name.
  if (variablesIn(value).includes('UPLOADS_PATH')) return []
  const next = 'UPLOAD_FOLDER = os.environ["UPLOADS_PATH"] with services: [files]'
  if (path === undefined || path.startsWith('..') || path === '.') {
    return [{ what: 'uploads', ...place, todo: `Their folder can't be told from here; kraft has one for them: ${next}` }]
  }
  const todo = `They outlive releases, but only this has nginx serve and dump take them: ${next}`
  return [{ what: `uploads in ${path}/`, ...place, sets: { shared: [path] }, todo }]
}

function sqliteIn(value: string, instance: string, place: Seen): readonly Finding[] {
  const url = literal(value)
  if (url?.startsWith('sqlite:') !== true) return []
  const better = 'with services: [sqlite] or [postgres] and os.environ["DATABASE_URL"], kraft dumps and loads it too'
  if (/^sqlite:\/\/\/[^/:]/.test(url)) {
    return [{ what: `SQLite in ${instance}/`, ...place, sets: { shared: [instance] }, todo: `It outlives releases; ${better}` }]
  }
  return [{ what: 'SQLite', ...place, todo: `A release can't keep it where it is; ${better}` }]
}
