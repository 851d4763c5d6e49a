import { randomBytes } from 'node:crypto'
import * as v from 'valibot'
import { register } from '../../engine/shell/redact.js'
import { reveal } from '../../engine/shell/secret.js'
import { type ApiSpec, all, type Call, call } from './cloud/api.js'
import { byKind, everywhere } from './cloud/cidr.js'
import type { Cloud, Machine, Order } from './cloud/cloud.js'
import { isGone } from './cloud/failures.js'
import { asTags, fromTags, nameOf } from './cloud/marks.js'
import { cloudProvider } from './cloud/provider.js'
import { fromVariables, machineSection, missingKeys, text } from './cloud/settings.js'
import { hostName } from './cloud/user-key.js'

const tokens = ['LINODE_TOKEN', 'LINODE_CLI_TOKEN']

const section = {
  secret: {
    schema: v.optional(text),
    doc: `Personal access token (Linodes, Firewalls: read and write); without it ${tokens.join(' or ')}`,
    secret: true,
    variables: tokens,
  },
  ...machineSection({ image: 'linode/debian12', size: 'g6-standard-1', region: 'eu-central', login: 'root' }),
}

/** Linodes of Akamai, API version 4. */
export const provider = cloudProvider({
  name: 'linode',
  doc: 'A machine of Linode, which is Akamai (not yet tried on the real thing)',
  section,
  vendor: {
    title: 'Linode',
    credential: 'access token',
    renew: `Set ${tokens[0]}, or secret below linode in ~/.kraftwerk.yaml; the Cloud Manager makes tokens under API Tokens.`,
    quota: 'open a support ticket in the Cloud Manager',
    limit: /limit reached|maximum number/i,
  },
  missing: (settings) => missingKeys(settings, { secret: tokens, location_id: [] }),
  open: async ({ secret, endpoint, port, allow_ssh }, { progress }) =>
    linode(
      {
        url: endpoint ?? 'https://api.linode.com/v4',
        headers: { authorization: `Bearer ${secret ?? fromVariables(tokens)}` },
        fault: (body) =>
          v.is(fault, body)
            ? {
                message: body.errors.map(({ field, reason }) => (field == null ? reason : `${field}: ${reason}`)).join('; '),
              }
            : undefined,
        progress,
      },
      { port, allow_ssh },
    ),
})

const fault = v.object({ errors: v.array(v.object({ reason: v.string(), field: v.nullish(v.string()) })) })
const instance = v.object({
  id: v.number(),
  label: v.string(),
  status: v.string(),
  ipv4: v.array(v.string()),
  tags: v.array(v.string()),
})
const firewall = v.object({ id: v.number(), label: v.string() })
const type = v.object({
  id: v.string(),
  vcpus: v.number(),
  memory: v.number(),
  disk: v.number(),
  price: v.object({ monthly: v.nullable(v.number()) }),
})
const pages = v.object({ page: v.number(), pages: v.number() })

function linode(api: ApiSpec, { port, allow_ssh }: { port: number; allow_ssh: string }): Cloud {
  const list = <S extends v.GenericSchema>(path: string, item: S, filter?: unknown) => {
    const headers: Record<string, string> = filter === undefined ? {} : { 'x-filter': JSON.stringify(filter) }
    const first = { path, headers, query: { page_size: 500 }, answer: v.object({ data: v.array(item) }) }
    return all(
      api,
      first,
      (body) => body.data as readonly v.InferOutput<S>[],
      (body) => (v.is(pages, body) && body.page < body.pages ? { query: { page: body.page + 1 } } : undefined),
    )
  }
  const change = async (asked: Omit<Call<v.GenericSchema>, 'answer'>) => void (await call(api, { ...asked, answer: v.unknown() }))
  const remove = (path: string) => change({ method: 'DELETE', path })

  return {
    async machines() {
      const found = await list('/linode/instances', instance, { tags: 'kraftwerk' })
      return found.map(machineOf).filter(({ marks }) => marks !== undefined)
    },

    async machine(id) {
      try {
        return machineOf((await call(api, { path: `/linode/instances/${encodeURIComponent(id)}`, answer: instance })).body)
      } catch (error) {
        if (isGone(error)) return undefined
        throw error
      }
    },

    async extras() {
      const found = await list('/networking/firewalls', firewall)
      return found.map(({ id, label }) => ({ kind: 'firewall', id: String(id), name: label }))
    },

    // Only where cloud-init is in an image does it read what it is told.
    async images() {
      const image = v.object({
        id: v.string(),
        label: v.string(),
        deprecated: v.boolean(),
        capabilities: v.optional(v.array(v.string()), []),
      })
      const found = await list('/images', image)
      return found
        .filter(({ deprecated, capabilities }) => !deprecated && capabilities.includes('cloud-init'))
        .map(({ id, label }) => ({ id, name: label }))
    },

    async sizes() {
      return (await list('/linode/types', type)).map(({ id, vcpus, memory, disk, price }) => ({
        id,
        cpus: vcpus,
        memory: memory / 1024,
        disk: disk / 1024,
        ...(price.monthly === null ? {} : { price: `${price.monthly.toFixed(2)} USD a month` }),
      }))
    },

    async regions() {
      const region = v.object({ id: v.string(), label: v.string(), country: v.string(), capabilities: v.array(v.string()) })
      const found = await list('/regions', region)
      return found
        .filter(({ capabilities }) => ['Linodes', 'Metadata'].every((each) => capabilities.includes(each)))
        .map(({ id, label }) => ({ id, name: label }))
    },

    async launch(order) {
      const wall = await makeFirewall(order)
      // Linode asks for one. Nobody ever knows it, and sshd takes no passwords.
      const password = randomBytes(32).toString('base64')
      register(password)
      const { body } = await call(api, {
        method: 'POST',
        path: '/linode/instances',
        body: {
          // A label is in an account once.
          label: `${hostName(order.name).slice(0, 50)}-${order.marks.id.slice(0, 6)}`,
          region: order.region,
          type: order.size.id,
          image: order.image.id,
          authorized_keys: [order.publicKey],
          root_pass: password,
          metadata: { user_data: Buffer.from(reveal(order.userData)).toString('base64') },
          tags: asTags(order.marks),
          firewall_id: wall,
          booted: true,
        },
        answer: v.object({ id: v.number() }),
      })
      return String(body.id)
    },

    mark: ({ id }, marks) => change({ method: 'PUT', path: `/linode/instances/${id}`, body: { tags: asTags(marks) } }),

    remove: (id) => remove(`/linode/instances/${id}`),
    removeExtra: ({ id }) => remove(`/networking/firewalls/${id}`),
  }

  async function makeFirewall({ marks }: Order): Promise<number> {
    const rule = (label: string, protocol: string, ports: string | undefined, ranges: readonly string[]) => {
      const { four, six } = byKind(ranges)
      const some = (each: readonly string[]) => (each.length === 0 ? undefined : each)
      return { action: 'ACCEPT', label, protocol, ports, addresses: { ipv4: some(four), ipv6: some(six) } }
    }
    const inbound = [
      rule('accept-ssh', 'TCP', String(port), [allow_ssh]),
      rule('accept-web', 'TCP', '80,443', everywhere),
      rule('accept-ping', 'ICMP', undefined, everywhere),
    ]
    const { body } = await call(api, {
      method: 'POST',
      path: '/networking/firewalls',
      body: {
        label: nameOf(marks),
        rules: { inbound_policy: 'DROP', inbound, outbound_policy: 'ACCEPT', outbound: [] },
      },
      answer: v.object({ id: v.number() }),
    })
    return body.id
  }
}

function machineOf({ id, label, status, ipv4, tags }: v.InferOutput<typeof instance>): Machine {
  const marks = fromTags(tags)
  const state = status === 'running' ? 'running' : ['offline', 'shutting_down'].includes(status) ? 'stopped' : 'starting'
  return {
    id: String(id),
    name: marks === undefined ? label : label.replace(`-${marks.id.slice(0, 6)}`, ''),
    state: status === 'deleting' ? 'missing' : state,
    address: ipv4[0],
    marks,
  }
}
