import { decoded } from '../engine/shell/secretive.js'
import { addQuery, authorities, hostOf, isNear, queryOf } from './server-url.js'

/** Variables by which PostgreSQL's own programs find a server, and the address of the same for applications. */
export type PostgresAccess = Readonly<Record<string, string>> & { readonly DATABASE_URL: string }

// What a query may say, and the variable that says the same.
const variables: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  dbname: 'PGDATABASE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  channel_binding: 'PGCHANNELBINDING',
  gssencmode: 'PGGSSENCMODE',
  options: 'PGOPTIONS',
}

/** What is wrong with an address of a database, without repeating it. */
export function postgresUrlProblem(text: string): string | undefined {
  if (!/^postgres(ql)?:\/\/[!-~]+$/.test(text) || !URL.canParse(text)) {
    return 'an address of one server, as in postgresql://shop:password@db.example.com/shop'
  }
  const { PGUSER = '', PGDATABASE = '', PGHOST = '' } = read(new URL(text))
  if (PGUSER === '') return 'an address with its user, as in postgresql://shop:password@db.example.com/shop'
  if (PGHOST === '') return 'an address with its host, as in postgresql://shop:password@db.example.com/shop'
  // Databases beside it are called like it, with a word more.
  if (!/^[\w.-]{1,48}$/.test(PGDATABASE)) return 'an address with its database: letters, digits, dots and hyphens, 48 at most'
  return undefined
}

/**
 * What an address says, once {@link postgresUrlProblem} has found nothing. A server that is not on this node must prove who it is, to
 * one of these authorities (a file on the node), unless the address says otherwise.
 */
export function postgresAccess(text: string, authority = authorities): PostgresAccess {
  const url = new URL(text)
  url.protocol = 'postgresql:'
  const asked = queryOf(url)
  const mode = asked.sslmode ?? (isNear(read(url).PGHOST ?? '') ? undefined : 'verify-full')
  addQuery(
    url,
    ...(asked.sslmode === undefined && mode !== undefined ? [`sslmode=${mode}`] : []),
    ...(mode?.startsWith('verify-') && asked.sslrootcert === undefined ? [`sslrootcert=${authority}`] : []),
  )
  return { DATABASE_URL: url.href, ...read(url) }
}

function read(url: URL): Readonly<Record<string, string>> {
  const { port, username, password, pathname } = url
  const said = {
    PGHOST: hostOf(url),
    PGPORT: port,
    PGUSER: decoded(username),
    PGPASSWORD: decoded(password),
    PGDATABASE: decoded(pathname.slice(1)),
  }
  const asked = Object.entries(queryOf(url)).flatMap(([name, value]): [string, string][] => {
    const variable = variables[name]
    return variable === undefined ? [] : [[variable, value]]
  })
  return Object.fromEntries(Object.entries({ ...said, ...Object.fromEntries(asked) }).filter(([, value]) => value !== ''))
}
