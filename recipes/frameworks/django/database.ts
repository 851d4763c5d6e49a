import type { Finding } from '../../../project/detect/finding.js'
import { pathOf } from '../../../project/detect/python-path.js'
import { variablesIn } from '../../../project/detect/python-source.js'
import type { DjangoSettings } from './settings.js'

const given: Readonly<Record<string, readonly string[]>> = {
  postgres: ['DATABASE_URL', 'PGHOST', 'PGDATABASE'],
  mysql: ['DATABASE_URL', 'MYSQL_DATABASE', 'MYSQL_UNIX_PORT'],
  sqlite: ['DATABASE_URL', 'SQLITE_PATH'],
}

/**
 * The service that holds a Django project's data, by DATABASES. `driver` is the database that the requirements can talk to: it counts
 * where settings take an address from the environment.
 *
 * @example inspectDatabase(settings, 'postgres')[0]?.sets // { services: ['postgres'] }
 */
export function inspectDatabase(settings: DjangoSettings, driver: string): readonly Finding[] {
  const setting = settings.get('DATABASES')
  if (setting === undefined) return []
  const { value, file, line } = setting
  const names = variablesIn(value)
  const url = names.includes('DATABASE_URL') || /dj_database_url\.config\(|\benv\.db\(\s*\)/.test(value)
  const engine = /["']ENGINE["']\s*:\s*["']([\w.]+)["']/.exec(value)?.[1] ?? ''
  if (url) return [{ what: `${driver}: DATABASES reads DATABASE_URL`, file, line, sets: { services: [driver] } }]
  if (/sqlite3|spatialite/.test(engine)) return sqlite(setting, settings)
  const service = /postg/.test(engine) ? 'postgres' : /mysql/.test(engine) ? 'mysql' : undefined
  if (service === undefined) {
    return [
      {
        what: 'the database',
        file,
        line,
        todo: `kraft can't tell which one from here; name it in services: (postgres, mysql, sqlite)`,
      },
    ]
  }
  const reads = names.some((name) => given[service]?.includes(name))
  const how = service === 'postgres' ? 'HOST from PGHOST, NAME from PGDATABASE, USER from PGUSER' : 'all from DATABASE_URL'
  const todo = `DATABASES should read what kraft sets: ${how}, or all from DATABASE_URL by dj-database-url`
  return [{ what: `${service}: DATABASES`, file, line, sets: { services: [service] }, ...(reads ? {} : { todo }) }]
}

function sqlite(setting: { value: string; file: string; line: number }, settings: DjangoSettings): readonly Finding[] {
  const { value, file, line } = setting
  if (variablesIn(value).some((name) => given.sqlite?.includes(name))) {
    return [{ what: 'sqlite: DATABASES', file, line, sets: { services: ['sqlite'] } }]
  }
  const name = /["']NAME["']\s*:\s*((?:[^,(){}]|\([^()]*(?:\([^()]*\)[^()]*)*\))+)/.exec(value)?.[1]
  const path = name === undefined ? undefined : pathOf(name, file, settings)
  const better = 'with services: [sqlite] or [postgres] and a DATABASES that reads DATABASE_URL, kraft dumps and loads it too'
  if (path === undefined || path.startsWith('..')) {
    return [{ what: 'SQLite', file, line, todo: `The place of its file can't be told from here; ${better}` }]
  }
  return [{ what: `SQLite in ${path}`, file, line, sets: { shared: [path] }, todo: `It outlives releases; ${better}` }]
}
