import { decoded } from '../engine/shell/secretive.js'
import { addQuery, authorities, hostOf, isNear, queryOf } from './server-url.js'

/** How a server of MySQL is reached: what the application knows, and words for MariaDB's own programs that hold no secret. */
export interface MysqlAccess {
  readonly environ: Readonly<Record<string, string>> & { readonly DATABASE_URL: string }
  readonly flags: string
}

const example = 'mysql://shop:password@db.example.com/shop'
const path = /^\/[\w./+-]+$/

/** What is wrong with an address of a database, without repeating it. */
export function mysqlUrlProblem(text: string): string | undefined {
  if (!/^mysql:\/\/[!-~]+$/.test(text) || !URL.canParse(text)) return `an address of one server, as in ${example}`
  const url = new URL(text)
  if (url.username === '') return `an address with its user, as in ${example}`
  if (url.hostname === '') return `an address with its host, as in ${example}`
  // Databases beside it are called like it, with a word more.
  if (!/^[\w-]{1,48}$/.test(decoded(url.pathname.slice(1))))
    return 'an address with its database: letters, digits and hyphens, 48 at most'
  const { ca, mode } = tls(url)
  if (ca !== undefined && !path.test(ca)) return 'an address whose ssl_ca is the path of a file on the node'
  return mode === undefined || modes.has(mode) ? undefined : `an address whose ssl-mode is one of ${[...modes.keys()].join(', ')}`
}

/**
 * What an address says, once {@link mysqlUrlProblem} has found nothing. A server that is not on this node must prove who it is, to one
 * of these authorities (a file on the node), unless the address says otherwise.
 */
export function mysqlAccess(text: string, authority = authorities): MysqlAccess {
  const url = new URL(text)
  const { ca = authority, mode, given } = tls(url)
  const how = mode === undefined ? (given || !isNear(hostOf(url)) ? 'proven' : 'plain') : (modes.get(mode) ?? 'proven')
  addQuery(
    url,
    ...(queryOf(url).charset === undefined ? ['charset=utf8mb4'] : []),
    ...(how === 'proven' && !given ? [`ssl_ca=${ca}`] : []),
  )
  return {
    environ: {
      DATABASE_URL: url.href,
      MYSQL_HOST: hostOf(url),
      MYSQL_TCP_PORT: url.port || '3306',
      MYSQL_USER: decoded(url.username),
      ...(url.password === '' ? {} : { MYSQL_PWD: decoded(url.password) }),
      MYSQL_DATABASE: decoded(url.pathname.slice(1)),
      ...(how === 'proven' ? { MYSQL_SSL_CA: ca } : {}),
    },
    flags: how === 'proven' ? `--ssl-ca=${ca} --ssl-verify-server-cert` : how === 'secret' ? '--ssl' : '',
  }
}

// How MySQL's own programs call it. `secret` is encrypted to whoever is there.
const modes = new Map([
  ['disabled', 'plain'],
  ['preferred', 'secret'],
  ['required', 'secret'],
  ['verify_ca', 'proven'],
  ['verify_identity', 'proven'],
])

function tls(url: URL) {
  const asked = queryOf(url)
  const ca = asked['ssl-ca'] ?? asked.ssl_ca
  const mode = (asked['ssl-mode'] ?? asked.ssl_mode)?.toLowerCase()
  return { ca, mode, given: ca !== undefined }
}
