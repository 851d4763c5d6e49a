import * as v from 'valibot'
// Shapes and errors of DigitalOcean's API as in godo v1.240.0, its types and its tests.
import type { Vendor } from './vendor.js'
import { type Asked, page, startVendor } from './vendor-server.js'

const error = (status: number, id: string, message: string) => ({
  status,
  body: { id, message, request_id: '4851a473-1621-42ea' },
})
const secret = 'dop_v1_c4nary'

// What of a request it looks at; the real one refuses others, too.
const dropletAsked = v.looseObject({ name: v.string(), tags: v.array(v.string()), user_data: v.string() })
const resources = v.object({ resources: v.array(v.object({ resource_id: v.string(), resource_type: v.literal('droplet') })) })

/** Starts a server that speaks DigitalOcean's API. Lists have two entries a page at most. */
export async function startDigitalOcean(): Promise<Vendor> {
  const machines = new Map<string, Record<string, unknown>>()
  const extras = new Map<string, Record<string, unknown>>()
  const tags = new Set<string>()
  let last = 3_164_444

  const list = (name: string, all: readonly unknown[], { query }: Asked) => {
    const number = Number(query.get('page') ?? 1)
    const { items, pages } = page(all, number, 2)
    const next = `https://api.digitalocean.com/v2/${name.replace('ssh_', 'account/')}?page=${number + 1}&per_page=2`
    const links = number < pages ? { pages: { next, last: next } } : {}
    return { body: { [name]: items, links, meta: { total: all.length } } }
  }
  const missing = error(404, 'not_found', 'The resource you were accessing could not be found.')
  const ofKind = (kind: string) => [...extras.values()].filter((each) => each.kind === kind)
  const size = (slug: string, vcpus: number, memory: number, price: number, available = true) => ({
    slug,
    memory,
    vcpus,
    disk: 50,
    transfer: 2,
    price_monthly: price,
    price_hourly: 0.017,
    regions: ['fra1', 'ams3'],
    available,
    description: 'Basic',
  })
  const image = (id: number, distribution: string, name: string, slug: string | null) => ({
    id,
    name,
    distribution,
    slug,
    type: 'base',
    public: slug !== null,
    regions: ['fra1'],
    min_disk_size: 7,
  })

  const server = await startVendor(
    [
      [
        'GET',
        /^\/v2\/droplets$/,
        (asked) => {
          // The API's own `next` does not repeat the tag; neither does this one.
          const tag = asked.query.get('tag_name') ?? 'kraftwerk'
          const all = [...machines.values()].filter((each) => (each.tags as string[]).includes(tag))
          return list('droplets', all, asked)
        },
      ],
      [
        'GET',
        /^\/v2\/droplets\/(\d+)$/,
        ({ match }) => {
          const found = machines.get(match[1] ?? '')
          if (found === undefined) return missing
          const now = { ...found }
          if (found.status === 'new') {
            found.status = 'active'
            found.networks = {
              v4: [
                { ip_address: '10.128.192.124', netmask: '255.255.0.0', gateway: 'nil', type: 'private' },
                { ip_address: '127.0.0.1', netmask: '255.255.255.0', gateway: '127.0.0.2', type: 'public' },
              ],
              v6: [],
            }
          }
          return { body: { droplet: now } }
        },
      ],
      [
        'POST',
        /^\/v2\/droplets$/,
        async ({ body }) => {
          const { name, tags: given, user_data } = v.parse(dropletAsked, body)
          for (const tag of given) tags.add(tag)
          const made = { id: ++last, name, status: 'new', tags: given, networks: { v4: [], v6: [] }, asked: body }
          machines.set(String(last), made)
          await server.launched(user_data)
          const links = { actions: [{ id: 7515, rel: 'create', href: 'https://api.digitalocean.com/v2/actions/7515' }] }
          return { status: 202, body: { droplet: made, links } }
        },
      ],
      ['DELETE', /^\/v2\/droplets\/(\d+)$/, ({ match }) => (machines.delete(match[1] ?? '') ? { status: 204 } : missing)],
      [
        'POST',
        /^\/v2\/tags$/,
        ({ body }) => {
          const { name } = v.parse(v.object({ name: v.string() }), body)
          if (tags.has(name)) return error(422, 'unprocessable_entity', 'Tag already exists')
          tags.add(name)
          return { status: 201, body: { tag: { name, resources: {} } } }
        },
      ],
      [
        'POST',
        /^\/v2\/tags\/([^/]+)\/resources$/,
        ({ match, body }) => {
          for (const { resource_id } of v.parse(resources, body).resources) {
            const found = machines.get(String(resource_id))
            if (found !== undefined) found.tags = [...(found.tags as string[]), match[1] ?? '']
          }
          return { status: 204 }
        },
      ],
      ['DELETE', /^\/v2\/tags\/([^/]+)$/, ({ match }) => (tags.delete(match[1] ?? '') ? { status: 204 } : missing)],
      ['GET', /^\/v2\/firewalls$/, (asked) => list('firewalls', ofKind('firewall'), asked)],
      ['GET', /^\/v2\/account\/keys$/, (asked) => list('ssh_keys', ofKind('key'), asked)],
      ['GET', /^\/v2\/account\/keys\/[0-9a-f:]+$/, () => missing],
      [
        'POST',
        /^\/v2\/(firewall|account\/key)s$/,
        ({ match, body }) => {
          const id = String(++last)
          const isKey = match[1] !== 'firewall'
          const made = { ...body, kind: isKey ? 'key' : 'firewall', id: isKey ? last : id, fingerprint: '3b:16' }
          extras.set(id, made)
          return { status: 201, body: { [isKey ? 'ssh_key' : 'firewall']: made } }
        },
      ],
      [
        'DELETE',
        /^\/v2\/(?:firewalls|account\/keys)\/(\d+)$/,
        ({ match }) => (extras.delete(match[1] ?? '') ? { status: 204 } : missing),
      ],
      [
        'GET',
        /^\/v2\/sizes$/,
        (asked) =>
          list(
            'sizes',
            [size('s-1vcpu-1gb', 1, 1024, 6), size('s-2vcpu-2gb', 2, 2048, 18), size('s-1vcpu-2gb', 1, 2048, 12)],
            asked,
          ),
      ],
      [
        'GET',
        /^\/v2\/images$/,
        (asked) =>
          asked.query.get('private') === 'true'
            ? list('images', [image(20, 'Unknown', 'golden', null)], asked)
            : list(
                'images',
                [image(10, 'Debian', '13 x64', 'debian-13-x64'), image(11, 'Debian', '12 x64', 'debian-12-x64')],
                asked,
              ),
      ],
      [
        'GET',
        /^\/v2\/regions$/,
        (asked) =>
          list(
            'regions',
            ['fra1', 'ams3', 'nyc3'].map((slug) => ({
              slug,
              name: slug.toUpperCase(),
              sizes: [],
              features: [],
              available: true,
            })),
            asked,
          ),
      ],
    ],
    {
      authorized: ({ authorization }) => authorization === `Bearer ${secret}`,
      refused: error(401, 'unauthorized', 'Unable to authenticate you'),
    },
  )
  return {
    name: 'digitalocean',
    server,
    secret,
    settings: { secret, endpoint: `${server.url}/v2`, location_id: 'fra1' },
    machines,
    extras,
    tags,
    launch: ['POST', /^\/v2\/droplets$/],
    destroy: ['DELETE', /^\/v2\/droplets\//],
    list: ['GET', /^\/v2\/droplets$/],
    says: {
      tooOften: { ...error(429, 'too_many_requests', 'API Rate limit exceeded.'), headers: { 'Retry-After': '0' } },
      limit: error(422, 'unprocessable_entity', 'creating this/these droplet(s) will exceed your droplet limit'),
      forbidden: error(403, 'forbidden', 'You are not authorized to perform this operation'),
      busy: error(409, 'conflict', 'The firewall is being changed'),
    },
    known: { image: 'debian-12-x64', size: 's-1vcpu-2gb', region: 'fra1' },
    misspelt: { image: 'debian-12-x65', size: 's-1vcpu-2bg', region: 'fra' },
    off: { status: 'off' },
    unmarked: { tags: [] },
    reset() {
      machines.clear()
      extras.clear()
      tags.clear()
      server.clear()
    },
  }
}
