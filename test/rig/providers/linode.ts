import * as v from 'valibot'
// Shapes and errors of Linode's API as in linodego v1.69.1 and the fixtures of linode_api4-python.
import type { Vendor } from './vendor.js'
import { type Asked, page, startVendor } from './vendor-server.js'

const error = (status: number, reason: string, field?: string) => ({
  status,
  body: { errors: [field === undefined ? { reason } : { reason, field }] },
})
const secret = 'linode-c4nary'

// What of a request it looks at; the real one refuses others, too.
const instanceAsked = v.looseObject({
  label: v.string(),
  tags: v.array(v.string()),
  metadata: v.object({ user_data: v.string() }),
})

/** Starts a server that speaks Linode's API. Lists have two entries a page at most. */
export async function startLinode(): Promise<Vendor> {
  const machines = new Map<string, Record<string, unknown>>()
  const extras = new Map<string, Record<string, unknown>>()
  let last = 120

  const list = (all: readonly unknown[], { query }: Asked) => {
    const number = Number(query.get('page') ?? 1)
    const { items, pages } = page(all, number, 2)
    return { body: { data: items, page: number, pages, results: all.length } }
  }
  const type = (id: string, vcpus: number, memory: number, monthly: number) => ({
    id,
    label: `Linode ${memory / 1024} GB`,
    class: 'standard',
    disk: 51_200,
    memory,
    vcpus,
    gpus: 0,
    transfer: 2000,
    network_out: 2000,
    price: { hourly: 0.018, monthly },
    successor: null,
  })
  const image = (id: string, label: string, capabilities: readonly string[]) => ({
    id,
    label,
    created: '2023-06-14T16:00:00',
    deprecated: false,
    status: 'available',
    is_public: true,
    type: 'manual',
    vendor: 'Debian',
    capabilities,
  })
  const region = (id: string, label: string, capabilities: readonly string[]) => ({
    id,
    label,
    country: 'de',
    capabilities,
    status: 'ok',
    site_type: 'core',
  })

  const server = await startVendor(
    [
      [
        'GET',
        /^\/v4\/linode\/instances$/,
        (asked) => {
          const filter = JSON.parse(String(asked.headers['x-filter'] ?? '{}'))
          const all = [...machines.values()].filter(({ tags }) => !filter.tags || (tags as string[]).includes(filter.tags))
          return list(all, asked)
        },
      ],
      [
        'GET',
        /^\/v4\/linode\/instances\/(\d+)$/,
        ({ match }) => {
          const found = machines.get(match[1] ?? '')
          if (found === undefined) return error(404, 'Not found')
          const now = { ...found }
          if (found.status === 'provisioning') found.status = 'running'
          return { body: now }
        },
      ],
      [
        'POST',
        /^\/v4\/linode\/instances$/,
        async ({ body }) => {
          const { label, tags, metadata } = v.parse(instanceAsked, body)
          if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,62}[A-Za-z0-9]$/.test(label)) return error(400, 'Must be 3-64 characters', 'label')
          for (const tag of tags)
            if (tag.length < 3 || tag.length > 50) return error(400, 'Length must be 3-50 characters', 'tags')
          const made = {
            id: ++last,
            label,
            status: 'provisioning',
            region: body.region,
            type: body.type,
            image: body.image,
            ipv4: ['127.0.0.1'],
            ipv6: '2001:db8::f03c:91ff:fe24:3a2f/128',
            tags,
            hypervisor: 'kvm',
            has_user_data: true,
            asked: body,
          }
          machines.set(String(last), made)
          await server.launched(Buffer.from(metadata.user_data, 'base64').toString())
          return { body: made }
        },
      ],
      [
        'PUT',
        /^\/v4\/linode\/instances\/(\d+)$/,
        ({ match, body }) => ({ body: Object.assign(machines.get(match[1] ?? '') ?? {}, body) }),
      ],
      [
        'DELETE',
        /^\/v4\/linode\/instances\/(\d+)$/,
        ({ match }) => (machines.delete(match[1] ?? '') ? { body: {} } : error(404, 'Not found')),
      ],
      ['GET', /^\/v4\/networking\/firewalls$/, (asked) => list([...extras.values()], asked)],
      [
        'POST',
        /^\/v4\/networking\/firewalls$/,
        ({ body }) => {
          if (v.parse(v.looseObject({ label: v.string() }), body).label.length > 32)
            return error(400, 'Length must be 3-32 characters', 'label')
          extras.set(String(++last), { ...body, id: last, status: 'enabled' })
          return { body: extras.get(String(last)) }
        },
      ],
      [
        'DELETE',
        /^\/v4\/networking\/firewalls\/(\d+)$/,
        ({ match }) => (extras.delete(match[1] ?? '') ? { body: {} } : error(404, 'Not found')),
      ],
      [
        'GET',
        /^\/v4\/linode\/types$/,
        (asked) =>
          list([type('g6-nanode-1', 1, 1024, 5), type('g6-standard-2', 2, 4096, 24), type('g6-standard-1', 1, 2048, 12)], asked),
      ],
      [
        'GET',
        /^\/v4\/images$/,
        (asked) =>
          list(
            [
              image('linode/debian13', 'Debian 13', ['cloud-init']),
              image('linode/debian12', 'Debian 12', ['cloud-init']),
              image('linode/debian12-kube', 'Debian 12 without', []),
            ],
            asked,
          ),
      ],
      [
        'GET',
        /^\/v4\/regions$/,
        (asked) =>
          list(
            [
              region('eu-central', 'Frankfurt, DE', ['Linodes', 'Metadata', 'Cloud Firewall']),
              region('us-east', 'Newark, NJ', ['Linodes', 'Metadata']),
              region('us-iad-1', 'Old', ['Linodes']),
            ],
            asked,
          ),
      ],
    ],
    { authorized: ({ authorization }) => authorization === `Bearer ${secret}`, refused: error(401, 'Invalid Token') },
  )
  return {
    name: 'linode',
    server,
    secret,
    settings: { secret, endpoint: `${server.url}/v4`, location_id: 'eu-central' },
    machines,
    extras,
    launch: ['POST', /^\/v4\/linode\/instances$/],
    destroy: ['DELETE', /^\/v4\/linode\/instances\//],
    list: ['GET', /^\/v4\/linode\/instances$/],
    says: {
      // Such a number was seen: https://github.com/linode/linode_api4-python/issues/72
      tooOften: { ...error(429, 'Too many requests'), headers: { 'Retry-After': '-1509450059', 'X-RateLimit-Reset': '-1' } },
      limit: error(400, 'Account Limit reached. Please open a support ticket.'),
      forbidden: error(403, 'Unauthorized'),
      busy: error(400, 'Linode busy.'),
    },
    known: { image: 'linode/debian12', size: 'g6-standard-1', region: 'eu-central' },
    misspelt: { image: 'linode/debain12', size: 'g6-standart-1', region: 'eu-centrl' },
    off: { status: 'offline' },
    unmarked: { tags: ['kraftwerk'] },
    reset() {
      machines.clear()
      extras.clear()
      server.clear()
    },
  }
}
