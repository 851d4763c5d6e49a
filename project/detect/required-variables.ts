import type { Finding } from './finding.js'
import { type Statement, statements } from './python-source.js'
import { type ProjectTree, programFiles } from './tree.js'

/** What kraft and its services set on every node; docs/environment.md lists the same. */
const given = new Set(
  `ALLOWED_HOSTS CDN_HOST DOMAIN SECRET_KEY STATIC_ROOT STATIC_URL
  HOME LANG LOGNAME PATH PYTHONPATH PYTHONUNBUFFERED SHELL USER VIRTUAL_ENV
  DATABASE_URL PGDATABASE PGHOST PGUSER MYSQL_DATABASE MYSQL_UNIX_PORT MYSQL_USER SQLITE_PATH
  REDIS_SOCKET REDIS_URL MEMCACHED_LOCATION MEMCACHED_SOCKET AMQP_URL CELERY_BROKER_URL RABBITMQ_PASSWORD RABBITMQ_USER RABBITMQ_VHOST
  COUCHDB_PREFIX COUCHDB_URL UPLOADS_PATH UPLOADS_URL DJANGO_SETTINGS_MODULE FLASK_APP`.split(/\s+/),
)

/** Whether an application on a node finds this variable without anybody's doing. */
export function isGiven(name: string): boolean {
  return given.has(name) || name.startsWith('KRAFT_')
}

/**
 * Variables that the program reads with no default as it starts, and that nobody has set. Files for one's own machine and for tests do not
 * count.
 */
export function requiredVariables(tree: ProjectTree, found: readonly Finding[]): readonly Finding[] {
  const said = new Set(found.flatMap(({ sets }) => Object.keys(sets?.environ ?? {})))
  const places = new Map<string, Pick<Finding, 'file' | 'line'>>()
  for (const file of programFiles(tree)) {
    const source = tree.read(file) ?? ''
    if (/(^|\/)(local|dev|development|testing|ci)(_\w+)?\.py$/.test(file) || !/environ|\benv\b|\bconfig\(/.test(source)) continue
    for (const { text, line } of atImport(statements(source))) {
      for (const name of namesIn(text)) {
        if (isGiven(name) || said.has(name) || places.has(name) || hasDefault(source, name)) continue
        places.set(name, { file, line })
      }
    }
  }
  const [place] = places.values()
  if (place === undefined) return []
  const names = [...places.keys()]
  const todo = `Read with no default: ${names.join(', ')}. Set ${names.length === 1 ? 'it' : 'them'}: kraft env:stage set ${names[0]}; on your machine in .env`
  return [{ what: 'variables without a default', ...place, todo }]
}

/** Those that run when the module is imported: none in a function. */
function atImport(all: readonly Statement[]): readonly Statement[] {
  let within = Infinity
  return all.filter(({ text, indent }) => {
    if (indent > within) return false
    within = /^(async\s+)?def\s/.test(text) ? indent : Infinity
    return true
  })
}

// A scheme of django-environ, a test whether it is there, a value that the program gives it itself.
function hasDefault(source: string, name: string): boolean {
  return new RegExp(`\\b${name}\\s*=\\s*\\(|["']${name}["']\\s+(?:not\\s+)?in\\b|setdefault\\(\\s*["']${name}["']`).test(source)
}

// environ['A'], and env('A') and config('A') of django-environ, environs and decouple where no default follows.
function namesIn(statement: string): readonly string[] {
  if (/^[rub]*["']/i.test(statement)) return []
  const read =
    /\benviron\s*\[\s*["']([A-Z][A-Z0-9_]*)["']\s*\](?!\s*=[^=])|(?<![\w.])(?:env(?:\.(?!get\b)\w+)?|config)\(\s*["']([A-Z][A-Z0-9_]*)["']\s*(?:,\s*cast\s*=[^,()]*(?:\([^()]*\))?)?\)/g
  return [...statement.matchAll(read)].flatMap(([, one, other]) => one ?? other ?? [])
}
