import type { Detector, Finding } from './finding.js'
import { statements, variablesIn } from './python-source.js'
import { lineOf, moduleOf, type ProjectTree, programFiles } from './tree.js'

/** Packages that talk to a service, as PyPI normalises their names. */
const drivers: Readonly<Record<string, readonly string[]>> = {
  postgres: ['psycopg', 'psycopg2', 'psycopg2-binary', 'psycopg-binary', 'psycopg2cffi', 'asyncpg', 'pg8000'],
  mysql: ['mysqlclient', 'pymysql', 'mysql-connector-python', 'mysql-connector'],
  redis: ['redis', 'django-redis', 'django-redis-cache', 'hiredis', 'rq', 'django-rq', 'flask-redis', 'channels-redis', 'huey'],
  memcached: ['pymemcache', 'pylibmc', 'python-memcached', 'python-binary-memcached'],
}

/** Variables that kraft's services set. */
const variables: Readonly<Record<string, readonly string[]>> = {
  postgres: ['PGHOST', 'PGDATABASE'],
  mysql: ['MYSQL_UNIX_PORT'],
  redis: ['REDIS_URL', 'REDIS_SOCKET'],
  memcached: ['MEMCACHED_LOCATION', 'MEMCACHED_SOCKET'],
  rabbitmq: ['AMQP_URL', 'CELERY_BROKER_URL', 'RABBITMQ_USER'],
  files: ['UPLOADS_PATH'],
}

/**
 * Services that requirements and the names of variables tell. What holds the data of a Django project is left to its settings.
 */
export const services: Detector = (tree) => {
  const read = variablesRead(tree)
  const database = read.get('DATABASE_URL')
  const found: Finding[] = []
  for (const [service, names] of Object.entries(drivers)) {
    const driver = names.find((name) => tree.requires.has(name))
    // A Django project may require drivers that its settings do not use.
    if (driver === undefined || (tree.requires.has('django') && ['postgres', 'mysql'].includes(service))) continue
    found.push({ what: `${service}: ${driver} is required`, ...requirement(tree, driver), sets: { services: [service] } })
  }
  for (const [service, names] of Object.entries(variables)) {
    const name = names.find((each) => read.has(each))
    const place = name === undefined ? undefined : read.get(name)
    if (place === undefined || found.some(({ sets }) => sets?.services?.includes(service))) continue
    found.push({ what: `${service}: ${name} is read`, ...place, sets: { services: [service] } })
  }
  const holds = found.some(({ sets }) => sets?.services?.some((name) => ['postgres', 'mysql'].includes(name)))
  if (database !== undefined && !holds && !tree.requires.has('django')) {
    found.push({
      what: 'sqlite: DATABASE_URL is read, and no driver of another database is required',
      ...database,
      sets: { services: ['sqlite'] },
    })
  }
  return [...found, ...fixedAddresses(tree), ...rabbit(tree, found)]
}

// Addresses that stand in the code: kraft's services are at others.
function fixedAddresses(tree: ProjectTree): readonly Finding[] {
  const kinds = {
    redis: 'REDIS_URL',
    amqp: 'AMQP_URL',
    postgres: 'DATABASE_URL',
    postgresql: 'DATABASE_URL',
    mysql: 'DATABASE_URL',
  }
  const address = /["'](redis|amqp|postgres(?:ql)?|mysql)(?:\+\w+)?:\/\/[^"'\s]*(?:localhost|127\.0\.0\.1)/
  for (const file of programFiles(tree)) {
    const text = tree.read(file) ?? ''
    if (!address.test(text)) continue
    for (const statement of statements(text)) {
      const scheme = address.exec(statement.text)?.[1] as keyof typeof kinds | undefined
      if (scheme === undefined || variablesIn(statement.text).length > 0) continue
      const todo = `kraft's service is at another address: os.environ["${kinds[scheme]}"]`
      return [{ what: `a fixed address of ${scheme}`, file, line: statement.line, todo }]
    }
  }
  return []
}

function rabbit(tree: ProjectTree, found: readonly Finding[]): readonly Finding[] {
  const name = ['pika', 'librabbitmq'].find((each) => tree.requires.has(each))
  // Many require it for a part that nobody turns on.
  if (name === undefined || hasBroker(found)) return []
  return [{ what: name, ...requirement(tree, name), todo: 'If it is used, add rabbitmq to services' }]
}

const hasBroker = (found: readonly Finding[]) =>
  found.some(({ sets }) => sets?.services?.some((name) => ['redis', 'rabbitmq'].includes(name)))

/** What is missing for Celery where a project requires it, after all that was found of its services and processes. */
export function celery(tree: ProjectTree, found: readonly Finding[]): readonly Finding[] {
  if (!tree.requires.has('celery')) return []
  const known = hasBroker(found)
  if (known && tree.read('Procfile')?.includes('celery') === true) return []
  const file = programFiles(tree).find((each) => /=\s*Celery\(/.test(tree.read(each) ?? ''))
  const place =
    file === undefined ? requirement(tree, 'celery') : { file, line: lineOf(tree.read(file) ?? '', /=\s*Celery\(/) ?? 1 }
  const module = file === undefined ? 'MODULE' : moduleOf(tree, file).module.replace(/\.celery$/, '')
  const which = known ? '' : ', and its broker to services: redis or rabbitmq'
  return [{ what: 'celery', ...place, todo: `Add its worker, processes: { worker: celery -A ${module} worker }${which}` }]
}

/** The database that the requirements of a project can talk to; SQLite needs nothing. */
export function databaseOf(requires: ReadonlySet<string>): 'postgres' | 'mysql' | 'sqlite' {
  const found = (['postgres', 'mysql'] as const).find((service) => drivers[service]?.some((name) => requires.has(name)))
  return found ?? 'sqlite'
}

/** Where each variable of the environment is read first. */
function variablesRead(tree: ProjectTree): ReadonlyMap<string, { file: string; line: number }> {
  const found = new Map<string, { file: string; line: number }>()
  for (const file of programFiles(tree)) {
    const text = tree.read(file) ?? ''
    if (!/environ|getenv|\benv\b|\bconfig\(/.test(text)) continue
    for (const { text: statement, line } of statements(text)) {
      for (const name of variablesIn(statement)) if (!found.has(name)) found.set(name, { file, line })
    }
  }
  return found
}

function requirement(tree: ProjectTree, name: string): { file: string; line?: number } {
  const pattern = new RegExp(`(^|["'\\s])${name.replaceAll('-', '[-_.]')}(?![\\w-])`, 'im')
  for (const file of ['requirements.txt', 'pyproject.toml', 'Pipfile', 'setup.cfg', 'setup.py']) {
    const text = tree.read(file)
    const line = text === undefined ? undefined : lineOf(text, pattern)
    // The pattern may begin with the line break before it.
    if (text !== undefined && line !== undefined) {
      const exact = text.split('\n').findIndex((row) => pattern.test(row))
      return { file, line: exact + 1 }
    }
  }
  return { file: tree.files.find((file) => file.includes('requirements')) ?? 'requirements.txt' }
}
