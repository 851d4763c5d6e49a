import * as v from 'valibot'
// Shapes and errors of Hetzner Cloud's API as in the schema and the tests of hcloud-go v2.52.0 and hcloud-python v2.3.0.
import type { Vendor } from './vendor.js'
import { type Asked, page, startVendor } from './vendor-server.js'

const error = (status: number, code: string, message: string) => ({ status, body: { error: { code, message, details: {} } } })
const secret = 'hetzner-t0ken-c4nary'

/** Starts a server that speaks Hetzner Cloud's API. Lists have two entries a page at most. */
export async function startHetzner(): Promise<Vendor> {
  const machines = new Map<string, Record<string, unknown>>()
  const extras = new Map<string, Record<string, unknown>>()
  let last = 100

  const list = (name: string, all: readonly unknown[], { query }: Asked) => {
    const number = Number(query.get('page') ?? 1)
    const { items, pages } = page(all, number, 2)
    const pagination = {
      page: number,
      per_page: 2,
      previous_page: number > 1 ? number - 1 : null,
      next_page: number < pages ? number + 1 : null,
      last_page: pages,
      total_entries: all.length,
    }
    return { body: { [name]: items, meta: { pagination } } }
  }
  const ofKind = (kind: string) => [...extras.values()].filter((each) => each.kind === kind)
  const price = (location: string, net: string) => ({
    location,
    price_hourly: { net: '0.006', gross: '0.007' },
    price_monthly: { net, gross: net },
  })
  const type = (id: number, name: string, cores: number, memory: number, architecture: string) => ({
    id,
    name,
    description: name.toUpperCase(),
    category: 'shared',
    cores,
    memory,
    disk: 40,
    storage_type: 'local',
    cpu_type: 'shared',
    architecture,
    deprecated: false,
    prices: name === 'cx53' ? [price('hel1', '20.0000000000')] : [price('fsn1', '3.2900000000'), price('hel1', '3.2900000000')],
  })
  const image = (id: number, name: string | null, description: string, architecture: string) => ({
    id,
    name,
    description,
    architecture,
    type: name === null ? 'snapshot' : 'system',
    status: 'available',
    os_flavor: 'debian',
    labels: {},
  })
  const location = (id: number, name: string, city: string) => ({
    id,
    name,
    description: `${city} DC Park 1`,
    country: 'DE',
    city,
    latitude: 50.47612,
    longitude: 12.370071,
    network_zone: 'eu-central',
  })

  const server = await startVendor(
    [
      ['GET', /^\/servers$/, (asked) => list('servers', [...machines.values()], asked)],
      [
        'GET',
        /^\/servers\/(\d+)$/,
        ({ match }) => {
          const found = machines.get(match[1] ?? '')
          if (found === undefined) return error(404, 'not_found', `server with ID '${match[1]}' not found`)
          const now = { ...found }
          if (found.status === 'initializing') found.status = 'running'
          return { body: { server: now } }
        },
      ],
      [
        'POST',
        /^\/servers$/,
        async ({ body }) => {
          if ([...machines.values()].some(({ name }) => name === body.name))
            return error(409, 'uniqueness_error', 'server name is already used')
          const id = String(++last)
          const made = {
            id: last,
            name: body.name,
            status: 'initializing',
            created: '2026-01-30T23:50:00+00:00',
            public_net: { ipv4: { id: 1, ip: '127.0.0.1', blocked: false, dns_ptr: '' }, floating_ips: [], firewalls: [] },
            labels: body.labels,
            volumes: [],
            asked: body,
          }
          machines.set(id, made)
          await server.launched(v.parse(v.looseObject({ user_data: v.string() }), body).user_data)
          const action = { id: 1, command: 'create_server', status: 'running', progress: 0, error: null }
          return { status: 201, body: { server: made, action, next_actions: [], root_password: null } }
        },
      ],
      [
        'PUT',
        /^\/servers\/(\d+)$/,
        ({ match, body }) => {
          Object.assign(machines.get(match[1] ?? '') ?? {}, body)
          return { body: { server: machines.get(match[1] ?? '') } }
        },
      ],
      [
        'DELETE',
        /^\/servers\/(\d+)$/,
        ({ match }) =>
          machines.delete(match[1] ?? '')
            ? { body: { action: { id: 2, command: 'delete_server', status: 'success' } } }
            : error(404, 'not_found', `server with ID '${match[1]}' not found`),
      ],
      ['GET', /^\/firewalls$/, (asked) => list('firewalls', ofKind('firewall'), asked)],
      [
        'GET',
        /^\/ssh_keys$/,
        (asked) => {
          const wanted = asked.query.get('fingerprint')
          return list(
            'ssh_keys',
            ofKind('ssh_key').filter(({ fingerprint }) => wanted === null || fingerprint === wanted),
            asked,
          )
        },
      ],
      [
        'POST',
        /^\/(firewall|ssh_key)s$/,
        ({ match, body }) => {
          const made = { id: ++last, kind: match[1], fingerprint: 'unknown', ...body }
          extras.set(String(last), made)
          return { status: 201, body: { [match[1] ?? '']: made } }
        },
      ],
      [
        'DELETE',
        /^\/(?:firewall|ssh_key)s\/(\d+)$/,
        ({ match }) => (extras.delete(match[1] ?? '') ? { status: 204 } : error(404, 'not_found', 'not found')),
      ],
      [
        'GET',
        /^\/server_types$/,
        (asked) =>
          list(
            'server_types',
            [type(1, 'cx53', 16, 32, 'x86'), type(2, 'cax11', 2, 4, 'arm'), type(3, 'cx23', 2, 4, 'x86')],
            asked,
          ),
      ],
      [
        'GET',
        /^\/images$/,
        (asked) =>
          list(
            'images',
            [
              image(10, 'debian-13', 'Debian 13', 'x86'),
              image(11, 'debian-12', 'Debian 12', 'arm'),
              image(12, 'debian-12', 'Debian 12', 'x86'),
              image(13, null, 'golden', 'x86'),
            ],
            asked,
          ),
      ],
      [
        'GET',
        /^\/locations$/,
        (asked) =>
          list(
            'locations',
            [location(1, 'fsn1', 'Falkenstein'), location(2, 'nbg1', 'Nuremberg'), location(3, 'hel1', 'Helsinki')],
            asked,
          ),
      ],
    ],
    {
      authorized: ({ authorization }) => authorization === `Bearer ${secret}`,
      refused: error(401, 'unauthorized', 'unable to authenticate'),
    },
  )
  return {
    name: 'hetzner',
    server,
    secret,
    settings: { secret, endpoint: server.url, location_id: 'fsn1' },
    machines,
    extras,
    launch: ['POST', /^\/servers$/],
    destroy: ['DELETE', /^\/servers\//],
    list: ['GET', /^\/servers$/],
    says: {
      tooOften: {
        ...error(429, 'rate_limit_exceeded', 'limit of 3600 requests per hour reached'),
        headers: {
          'RateLimit-Limit': '3600',
          'RateLimit-Remaining': '0',
          'RateLimit-Reset': String(Math.ceil(Date.now() / 1000) + 3000),
        },
      },
      limit: error(403, 'resource_limit_exceeded', 'server limit exceeded'),
      forbidden: error(403, 'forbidden', 'insufficient permissions for this request'),
      busy: error(409, 'resource_in_use', "firewall with ID '38' is still in use"),
    },
    known: { image: 'debian-12', size: 'cx23', region: 'fsn1' },
    misspelt: { image: 'debain-12', size: 'cx32', region: 'fsn' },
    off: { status: 'off' },
    unmarked: { labels: {} },
    reset() {
      machines.clear()
      extras.clear()
      server.clear()
    },
  }
}
