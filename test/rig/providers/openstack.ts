import * as v from 'valibot'
// Shapes and errors of Keystone v3, Nova v2.1, Glance v2 and Neutron v2 as in the fixtures of gophercloud v2.16.0.
import type { Vendor } from './vendor.js'
import { type Asked, page, startVendor } from './vendor-server.js'

const error = (status: number, word: string, message: string) => ({ status, body: { [word]: { code: status, message } } })
const secret = 'openstack-c4nary'
const token = '130f6c17-420e-4a0b-97b0-0c9cf2a05f30'

// What of a request it looks at; the real ones refuse others, too.
const authAsked = v.object({
  auth: v.object({
    identity: v.object({
      methods: v.array(v.string()),
      application_credential: v.optional(v.looseObject({ secret: v.string() })),
      password: v.optional(v.object({ user: v.looseObject({ password: v.string() }) })),
    }),
    scope: v.optional(v.object({ project: v.looseObject({ name: v.string() }) })),
  }),
})
const serverAsked = v.object({
  server: v.looseObject({ name: v.string(), metadata: v.record(v.string(), v.string()), user_data: v.string() }),
})
const ruleAsked = v.object({ security_group_rule: v.looseObject({ security_group_id: v.string() }) })

/** Starts a server that is a whole OpenStack cloud. Lists have two entries a page at most. */
export async function startOpenstack(): Promise<Vendor> {
  const machines = new Map<string, Record<string, unknown>>()
  const extras = new Map<string, Record<string, unknown>>()
  let last = 0
  const uuid = () => `9e5476bd-a4ec-4653-93d6-${String(++last).padStart(12, '0')}`

  const list = (name: string, all: readonly unknown[], { query }: Asked, path: string) => {
    const number = Number(query.get('marker') ?? 1)
    const { items, pages } = page(all, number, 2)
    const next = [{ rel: 'next', href: `${server.url}${path}?marker=${number + 1}` }]
    return { body: { [name]: items, ...(number < pages ? { [`${name}_links`]: next } : {}) } }
  }
  const ofKind = (kind: string) => [...extras.values()].filter((each) => each.kind === kind)
  const flavor = (name: string, vcpus: number, ram: number) => ({ id: `f-${name}`, name, vcpus, ram, disk: 20, swap: '' })
  const image = (name: string) => ({ id: `i-${name}`, name, status: 'active', visibility: 'public', min_disk: 0, min_ram: 0 })

  const server = await startVendor(
    [
      [
        'POST',
        /^\/v3\/auth\/tokens$/,
        ({ body }) => {
          const { identity, scope } = v.parse(authAsked, body).auth
          const right =
            identity.methods[0] === 'application_credential'
              ? identity.application_credential?.secret === secret
              : identity.password?.user.password === secret && scope?.project.name === 'shop'
          if (!right) return error(401, 'error', 'The request you have made requires authentication.')
          const at = (type: string, path: string) => ({
            type,
            name: type,
            id: type,
            endpoints: [
              ['admin', 'RegionOne'],
              ['public', 'RegionOne'],
              ['public', 'RegionThree'],
            ].map(([kind, region]) => ({
              interface: kind,
              url: kind === 'public' && region === 'RegionOne' ? `${server.url}${path}` : 'http://127.0.0.1:1/',
              region,
              region_id: region,
              id: `${kind}-${region}`,
            })),
          })
          const catalog = [at('compute', '/compute/v2.1'), at('image', '/image'), at('network', '/network')]
          const headers = { 'X-Subject-Token': token }
          return { status: 201, headers, body: { token: { methods: ['password'], expires_at: '2099-06-03T02:19:49Z', catalog } } }
        },
      ],
      [
        'GET',
        /^\/compute\/v2\.1\/servers\/detail$/,
        (asked) => list('servers', [...machines.values()], asked, '/compute/v2.1/servers/detail'),
      ],
      [
        'GET',
        /^\/compute\/v2\.1\/servers\/([^/]+)$/,
        ({ match }) => {
          const found = machines.get(match[1] ?? '')
          if (found === undefined) return error(404, 'itemNotFound', `Instance ${match[1]} could not be found.`)
          const now = { ...found }
          if (found.status === 'BUILD') found.status = 'ACTIVE'
          return { body: { server: now } }
        },
      ],
      [
        'POST',
        /^\/compute\/v2\.1\/servers$/,
        async ({ body }) => {
          const id = uuid()
          const mac = 'fa:16:3e:9e:89:be'
          const { name, metadata, user_data } = v.parse(serverAsked, body).server
          const addresses = {
            private: [{ 'OS-EXT-IPS-MAC:mac_addr': mac, version: 4, addr: '127.0.0.9', 'OS-EXT-IPS:type': 'fixed' }],
          }
          machines.set(id, { id, name, status: 'BUILD', metadata, addresses, accessIPv4: '', accessIPv6: '', asked: body.server })
          await server.launched(Buffer.from(user_data, 'base64').toString())
          return { status: 202, body: { server: { id, links: [], 'OS-DCF:diskConfig': 'MANUAL', adminPass: 'aabbccddeeff' } } }
        },
      ],
      [
        'POST',
        /^\/compute\/v2\.1\/servers\/([^/]+)\/metadata$/,
        ({ match, body }) => {
          const found = machines.get(match[1] ?? '')
          Object.assign(found?.metadata ?? {}, body.metadata)
          return { body: { metadata: found?.metadata } }
        },
      ],
      [
        'DELETE',
        /^\/compute\/v2\.1\/servers\/([^/]+)$/,
        ({ match }) =>
          machines.delete(match[1] ?? '') ? { status: 204 } : error(404, 'itemNotFound', 'Instance could not be found.'),
      ],
      [
        'GET',
        /^\/compute\/v2\.1\/flavors\/detail$/,
        (asked) => {
          const all = [flavor('m1.tiny', 1, 512), flavor('m1.medium', 2, 4096), flavor('m1.small', 1, 2048)]
          return list('flavors', all, asked, '/compute/v2.1/flavors/detail')
        },
      ],
      [
        'GET',
        /^\/image\/v2\/images$/,
        ({ query }) => {
          const all = ['debian-13-genericcloud', 'Debian 12 Bookworm', 'debian-11'].map(image)
          const number = Number(query.get('marker') ?? 1)
          const { items, pages } = page(all, number, 2)
          const next = `/v2/images?marker=${number + 1}`
          return { body: { images: items, first: '/v2/images', ...(number < pages ? { next } : {}) } }
        },
      ],
      [
        'GET',
        /^\/network\/v2\.0\/(networks|security-groups|floatingips|ports)$/,
        (asked) => {
          const kind = asked.match[1] ?? ''
          const nets = ['private', 'public'].map((name) => ({ id: `n-${name}`, name, subnets: [], admin_state_up: true }))
          const all = kind === 'networks' ? nets : kind === 'ports' ? [{ id: 'port-1' }] : ofKind(kind)
          return list(kind.replace('-', '_'), all, asked, `/network/v2.0/${kind}`)
        },
      ],
      [
        'POST',
        /^\/network\/v2\.0\/(security-group|floatingip)s$/,
        ({ match, body }) => {
          const word = match[1]?.replace('-', '_') ?? ''
          const id = uuid()
          extras.set(id, {
            ...v.parse(v.looseObject({}), body[word]),
            id,
            kind: `${match[1]}s`,
            floating_ip_address: '127.0.0.1',
            rules: [],
          })
          return { status: 201, body: { [word]: extras.get(id) } }
        },
      ],
      [
        'POST',
        /^\/network\/v2\.0\/security-group-rules$/,
        ({ body }) => {
          const rule = v.parse(ruleAsked, body).security_group_rule
          const group = extras.get(rule.security_group_id)
          if (group !== undefined) group.rules = [...(group.rules as unknown[]), rule]
          return { status: 201, body }
        },
      ],
      [
        'DELETE',
        /^\/network\/v2\.0\/(?:security-group|floatingip)s\/([^/]+)$/,
        ({ match }) =>
          extras.delete(match[1] ?? '')
            ? { status: 204 }
            : { status: 404, body: { NeutronError: { type: 'NotFound', message: 'could not be found', detail: '' } } },
      ],
    ],
    {
      authorized: (headers, path) => path === '/v3/auth/tokens' || headers['x-auth-token'] === token,
      refused: error(401, 'error', 'The request you have made requires authentication.'),
    },
  )
  return {
    name: 'openstack',
    server,
    secret,
    settings: {
      secret,
      user: 'me',
      project: 'shop',
      auth_url: server.url,
      location_id: 'RegionOne',
      network: 'private',
      floating_network: 'public',
    },
    machines,
    extras,
    launch: ['POST', /^\/compute\/v2\.1\/servers$/],
    destroy: ['DELETE', /^\/compute\/v2\.1\/servers\//],
    list: ['GET', /^\/compute\/v2\.1\/servers\/detail$/],
    says: {
      tooOften: {
        status: 413,
        headers: { 'Retry-After': '0' },
        body: { overLimit: { code: 413, message: 'This request was rate-limited.', retryAfter: '0' } },
      },
      // As in https://github.com/gophercloud/gophercloud/issues/2912
      limit: error(403, 'forbidden', 'Quota exceeded for instances: Requested 1, but already used 10 of 10 instances'),
      forbidden: error(403, 'forbidden', "Policy doesn't allow os_compute_api:servers:create to be performed."),
      busy: {
        status: 409,
        body: { NeutronError: { type: 'SecurityGroupInUse', message: 'Security Group is in use.', detail: '' } },
      },
    },
    known: { image: 'Debian 12 Bookworm', size: 'm1.small', region: 'RegionOne' },
    misspelt: { image: 'Debian 12 Bookwurm', size: 'm1.smal', region: 'RegionTwo' },
    off: { status: 'SHUTOFF' },
    unmarked: { metadata: {} },
    reset() {
      machines.clear()
      extras.clear()
      server.clear()
    },
  }
}
