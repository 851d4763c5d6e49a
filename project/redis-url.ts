import { decoded } from '../engine/shell/secretive.js'
import { addQuery, authorities, hostOf, queryOf } from './server-url.js'

/** How a redis is reached: its address for applications, and what redis-cli wants, with no secret but in REDISCLI_AUTH. */
export interface RedisAccess {
  readonly url: string
  readonly cli: Readonly<Record<string, string>>
  /** The number of the database that the address names. */
  readonly database: number
}

const example = 'rediss://shop:password@redis.example.com:6379/0'

/** What is wrong with an address of a redis, without repeating it. */
export function redisUrlProblem(text: string): string | undefined {
  if (!/^rediss?:\/\/[!-~]+$/.test(text) || !URL.canParse(text)) return `an address of one server, as in ${example}`
  const url = new URL(text)
  if (url.hostname === '') return `an address with its host, as in ${example}`
  if (!/^(\/\d{0,5})?$/.test(url.pathname) || queryOf(url).db !== undefined)
    return `an address whose path is the number of a database, as in ${example}`
  const { ssl_ca_certs: ca } = queryOf(url)
  return ca === undefined || /^\/[\w./+-]+$/.test(ca)
    ? undefined
    : 'an address whose ssl_ca_certs is the path of a file on the node'
}

/**
 * What an address says, once {@link redisUrlProblem} has found nothing. Over TLS the server must prove who it is, to one of these
 * authorities (a file on the node), unless the address says otherwise.
 */
export function redisAccess(text: string, authority = authorities): RedisAccess {
  const url = new URL(text)
  const asked = queryOf(url)
  const { ssl_ca_certs: ca = authority, ssl_cert_reqs: proof = 'required' } = asked
  const host = hostOf(url)
  const isSecure = url.protocol === 'rediss:'
  if (isSecure) {
    addQuery(
      url,
      // Celery wants to be told.
      ...(asked.ssl_cert_reqs === undefined ? [`ssl_cert_reqs=${proof}`] : []),
      ...(asked.ssl_ca_certs === undefined && proof !== 'none' ? [`ssl_ca_certs=${ca}`] : []),
    )
  }
  const database = Number(url.pathname.slice(1))
  const flags = [
    ...(isSecure ? ['--tls', ...(proof === 'none' ? ['--insecure'] : ['--cacert', ca])] : []),
    ...(isSecure && /[a-z]/i.test(host) && !host.includes(':') ? ['--sni', host] : []),
  ]
  return {
    url: url.href,
    cli: {
      REDIS_HOST: host,
      REDIS_PORT: url.port || '6379',
      REDIS_DB: String(database),
      ...(url.username === '' ? {} : { REDIS_USER: decoded(url.username) }),
      ...(url.password === '' ? {} : { REDISCLI_AUTH: decoded(url.password) }),
      REDIS_FLAGS: flags.join(' '),
    },
    database,
  }
}
