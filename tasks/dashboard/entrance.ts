import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'

/** What lets one in. */
export interface Key {
  /** Stands in the address that kraft prints. */
  readonly token: string
  /** A cookie's name, another for each dashboard: ports of one machine share their cookies. */
  readonly cookie: string
  /** What the cookie holds. */
  readonly session: string
}

/** A key that nobody can guess. */
export function newKey(): Key {
  const random = (bytes: number) => randomBytes(bytes).toString('base64url')
  return { token: random(32), cookie: `kraft-${randomBytes(4).toString('hex')}`, session: random(32) }
}

/**
 * Lets in who came by the address that kraft printed: its token is exchanged for a cookie and goes from the address bar. Whoever
 * names another host got here by a DNS answer that leads to this machine, and nothing but GET has a meaning.
 */
export function entrance({ token, cookie, session }: Key): MiddlewareHandler {
  return async (context, next) => {
    const { req } = context
    if (!isLoopback(req.header('host') ?? '')) return context.text('This is not the host that you asked for.\n', 403)
    if (req.method !== 'GET') return context.text('Nothing can be changed here.\n', 405, { allow: 'GET' })
    const given = req.query('token')
    if (given !== undefined && isSame(given, token)) {
      setCookie(context, cookie, session, { httpOnly: true, sameSite: 'Strict', path: '/' })
      return context.redirect(req.path, 303)
    }
    if (given === undefined && isSame(getCookie(context, cookie) ?? '', session)) return next()
    return context.text('Come by the address that kraft dashboard printed: the token in it lets you in.\n', 401)
  }
}

// Whatever the port: it may be forwarded from another machine.
function isLoopback(host: string): boolean {
  return /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/i.test(host)
}

// Of hashes, so that lengths tell nothing either.
function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}
