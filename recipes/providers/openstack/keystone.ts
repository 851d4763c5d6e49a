import * as v from 'valibot'
import { KraftError } from '../../../engine/errors/failure.js'
import { register } from '../../../engine/shell/redact.js'
import { type ApiSpec, call } from '../cloud/api.js'
import type { Credentials } from './credentials.js'

/** A project of a cloud that we are logged in to. */
export interface Session {
  readonly region: string | undefined
  readonly regions: readonly string[]
  /** The API of a kind (`compute`, `image`, `network`) in the region. Throws a KraftError where there is none. */
  api(kind: string): ApiSpec
  has(kind: string): boolean
}

const endpoint = v.object({ interface: v.string(), url: v.string(), region: v.nullish(v.string()) })
const token = v.object({
  token: v.object({ catalog: v.array(v.object({ type: v.string(), endpoints: v.array(endpoint) })) }),
})
const inner = v.object({ message: v.string() })

/** Gets a token of Keystone for the project, and with it the catalog of what the cloud has. */
export async function logIn(given: Credentials, progress: (line: string) => void): Promise<Session> {
  const keystone: ApiSpec = { url: given.url, headers: {}, fault, progress }
  const { body, headers } = await call(keystone, {
    method: 'POST',
    path: '/auth/tokens',
    body: { auth: identityOf(given) },
    answer: token,
  })
  const id = headers.get('x-subject-token') ?? ''
  register(id)
  const { catalog } = body.token
  const compute = catalog.find(({ type }) => type === 'compute')?.endpoints ?? []
  const regions = [...new Set(compute.map(({ region }) => region ?? 'RegionOne'))].sort()
  const region = given.region ?? (regions.length === 1 ? regions[0] : undefined)
  const urlOf = (kind: string) => {
    const endpoints = catalog.find(({ type }) => type === kind)?.endpoints ?? []
    return endpoints.find((each) => each.interface === 'public' && (each.region ?? 'RegionOne') === region)?.url
  }
  return {
    region,
    regions,
    has: (kind) => urlOf(kind) !== undefined,
    api(kind) {
      const url = urlOf(kind)
      if (url !== undefined) return { url: url.replace(/\/+$/, ''), headers: { 'x-auth-token': id }, fault, progress }
      throw new KraftError({
        kind: 'usage',
        message:
          region === undefined
            ? `The cloud has several regions: ${regions.join(', ')}`
            : `The cloud has no service of the kind "${kind}" in ${region}`,
        next: 'Set location_id (or OS_REGION_NAME) to the region that you mean.',
      })
    },
  }
}

function identityOf({ application, user, password, domain, project }: Credentials): unknown {
  if (application !== undefined) {
    const secret = { id: application, secret: password }
    return { identity: { methods: ['application_credential'], application_credential: secret } }
  }
  const isId = /^[0-9a-f]{32}$/.test(project ?? '')
  return {
    identity: { methods: ['password'], password: { user: { name: user, domain: { name: domain }, password } } },
    scope: { project: isId ? { id: project } : { name: project, domain: { name: domain } } },
  }
}

// Each service wraps its errors in a word of its own: {"forbidden": {"code": 403, "message": …}}, {"NeutronError": {…}}.
function fault(body: unknown): { code?: string; message: string } | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const found = Object.entries(body).find(([, value]) => v.is(inner, value))
  if (found === undefined || !v.is(inner, found[1])) return undefined
  return { code: found[0] === 'error' ? '' : found[0], message: found[1].message }
}
