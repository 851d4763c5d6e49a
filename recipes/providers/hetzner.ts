import * as v from 'valibot'
import { reveal } from '../../engine/shell/secret.js'
import { type ApiSpec, all, type Call, call } from './cloud/api.js'
import { everywhere } from './cloud/cidr.js'
import type { Cloud, Machine, Order } from './cloud/cloud.js'
import { isGone } from './cloud/failures.js'
import { asLabels, fromLabels, nameOf } from './cloud/marks.js'
import { cloudProvider } from './cloud/provider.js'
import { fromVariables, machineSection, missingKeys, text } from './cloud/settings.js'
import { hostName, md5Fingerprint } from './cloud/user-key.js'

const tokens = ['HCLOUD_TOKEN']

const section = {
  secret: {
    schema: v.optional(text),
    doc: 'API token (read and write) of a project; without it HCLOUD_TOKEN',
    secret: true,
    variables: tokens,
  },
  ...machineSection({ image: 'debian-12', size: 'cx23', region: 'fsn1', login: 'root' }),
}

/** Servers of Hetzner Cloud, API version 1. */
export const provider = cloudProvider({
  name: 'hetzner',
  doc: 'A server of Hetzner Cloud (not yet tried on the real thing)',
  section,
  vendor: {
    title: 'Hetzner Cloud',
    credential: 'API token',
    renew: 'Set HCLOUD_TOKEN, or secret below hetzner in ~/.kraftwerk.yaml; the Console makes tokens under Security, API tokens.',
    quota: 'https://console.hetzner.com, Limits',
    limit: /resource_limit_exceeded/,
    meanings: [
      {
        says: /resource_unavailable|placement_error/,
        kind: 'task',
        message: (detail) => `Hetzner Cloud cannot start such a server there now: ${detail}`,
        next: 'Try another size_id or location_id, or again later.',
      },
      {
        says: /uniqueness_error/,
        kind: 'task',
        message: (detail) => `The project has something of this name already: ${detail}`,
        next: 'Choose another name for the node, or remove what has it.',
      },
    ],
  },
  missing: (settings) => missingKeys(settings, { secret: tokens, location_id: [] }),
  open: async ({ secret, endpoint, port, allow_ssh }, { progress }) =>
    hetzner(
      {
        url: endpoint ?? 'https://api.hetzner.cloud/v1',
        headers: { authorization: `Bearer ${secret ?? fromVariables(tokens)}` },
        fault: (body) => (v.is(fault, body) ? body.error : undefined),
        progress,
      },
      { port, allow_ssh },
    ),
})

const fault = v.object({ error: v.object({ code: v.string(), message: v.string() }) })
const named = v.object({ id: v.number(), name: v.string() })
const server = v.object({
  ...named.entries,
  status: v.string(),
  labels: v.record(v.string(), v.string()),
  public_net: v.optional(v.object({ ipv4: v.nullish(v.object({ ip: v.string() })) })),
})
const serverType = v.object({
  name: v.string(),
  cores: v.number(),
  memory: v.number(),
  disk: v.number(),
  architecture: v.optional(v.string(), 'x86'),
  deprecated: v.nullish(v.union([v.boolean(), v.string()])),
  prices: v.array(v.object({ location: v.string(), price_monthly: v.object({ net: v.string() }) })),
})
const image = v.object({
  id: v.number(),
  name: v.nullish(v.string()),
  description: v.string(),
  architecture: v.optional(v.string()),
})
const nextPage = v.object({ meta: v.object({ pagination: v.object({ next_page: v.number() }) }) })

function hetzner(api: ApiSpec, { port, allow_ssh }: { port: number; allow_ssh: string }): Cloud {
  const list = <S extends v.GenericSchema, Item>(asked: Call<S>, items: (body: v.InferOutput<S>) => readonly Item[]) =>
    all(api, { ...asked, query: { per_page: 50, ...asked.query } }, items, (body) =>
      v.is(nextPage, body) ? { query: { page: body.meta.pagination.next_page } } : undefined,
    )
  const remove = async (path: string) => void (await call(api, { method: 'DELETE', path, answer: v.unknown() }))

  return {
    async machines() {
      const query = { label_selector: 'kraftwerk-id' }
      const servers = await list(
        { path: '/servers', query, answer: v.object({ servers: v.array(server) }) },
        (body) => body.servers,
      )
      return servers.map(machineOf).filter(({ marks }) => marks !== undefined)
    },

    async machine(id) {
      try {
        const { body } = await call(api, { path: `/servers/${encodeURIComponent(id)}`, answer: v.object({ server }) })
        return machineOf(body.server)
      } catch (error) {
        if (isGone(error)) return undefined
        throw error
      }
    },

    async extras() {
      const [firewalls, keys] = await Promise.all([
        list({ path: '/firewalls', answer: v.object({ firewalls: v.array(named) }) }, (body) => body.firewalls),
        list({ path: '/ssh_keys', answer: v.object({ ssh_keys: v.array(named) }) }, (body) => body.ssh_keys),
      ])
      return [
        ...firewalls.map(({ id, name }) => ({ kind: 'firewall', id: String(id), name })),
        ...keys.map(({ id, name }) => ({ kind: 'ssh_key', id: String(id), name })),
      ]
    },

    async images() {
      const query = { status: 'available', sort: 'created:desc' }
      const found = await list({ path: '/images', query, answer: v.object({ images: v.array(image) }) }, (body) => body.images)
      return found.map(({ id, name, description, architecture }) => ({
        id: name ?? String(id),
        name: description,
        ref: id,
        ...(architecture === undefined ? {} : { architecture }),
      }))
    },

    async sizes() {
      const found = await list(
        { path: '/server_types', answer: v.object({ server_types: v.array(serverType) }) },
        (body) => body.server_types,
      )
      return found
        .filter(({ deprecated }) => deprecated !== true)
        .map(({ name, cores, memory, disk, architecture, prices }) => ({
          id: name,
          cpus: cores,
          memory,
          disk,
          architecture,
          price: `${Number(prices[0]?.price_monthly.net ?? 0).toFixed(2)} EUR a month`,
          regions: prices.map(({ location }) => location),
        }))
    },

    async regions() {
      const location = v.object({ name: v.string(), description: v.string(), city: v.string(), country: v.string() })
      const found = await list(
        { path: '/locations', answer: v.object({ locations: v.array(location) }) },
        (body) => body.locations,
      )
      return found.map(({ name, city, country }) => ({ id: name, name: `${city}, ${country}` }))
    },

    async launch(order) {
      const key = await keyFor(order)
      const answer = v.object({ server: v.object({ id: v.number() }) })
      const firewall = await makeFirewall(order)
      const { body } = await call(api, {
        method: 'POST',
        path: '/servers',
        body: {
          name: hostName(order.name),
          server_type: order.size.id,
          image: order.image.ref ?? order.image.id,
          location: order.region,
          // Without a key Hetzner sets a password for root that has to be changed at the first login, and mails it.
          ssh_keys: [key],
          firewalls: [{ firewall }],
          user_data: reveal(order.userData),
          labels: asLabels(order.marks),
        },
        answer,
      })
      return String(body.server.id)
    },

    async mark({ id }, marks) {
      const body = { labels: asLabels(marks) }
      await call(api, { method: 'PUT', path: `/servers/${id}`, body, answer: v.unknown() })
    },

    remove: (id) => remove(`/servers/${id}`),
    removeExtra: ({ kind, id }) => remove(`/${kind}s/${id}`),
  }

  // A key can be in a project once; whoever put it there keeps it.
  async function keyFor({ publicKey, marks }: Order): Promise<number> {
    const query = { fingerprint: md5Fingerprint(publicKey) }
    const answer = v.object({ ssh_keys: v.array(named) })
    const [known] = (await call(api, { path: '/ssh_keys', query, answer })).body.ssh_keys
    if (known !== undefined) return known.id
    const body = { name: nameOf(marks), public_key: publicKey }
    return (await call(api, { method: 'POST', path: '/ssh_keys', body, answer: v.object({ ssh_key: named }) })).body.ssh_key.id
  }

  async function makeFirewall({ marks }: Order): Promise<number> {
    const rule = (to: number, source_ips: readonly string[]) => ({
      direction: 'in',
      protocol: 'tcp',
      port: String(to),
      source_ips,
    })
    const rules = [rule(port, [allow_ssh]), rule(80, everywhere), rule(443, everywhere)]
    const icmp = { direction: 'in', protocol: 'icmp', source_ips: everywhere }
    const body = { name: nameOf(marks), labels: asLabels(marks), rules: [...rules, icmp] }
    return (await call(api, { method: 'POST', path: '/firewalls', body, answer: v.object({ firewall: named }) })).body.firewall.id
  }
}

function machineOf({ id, name, status, labels, public_net }: v.InferOutput<typeof server>): Machine {
  const state = status === 'running' ? 'running' : ['off', 'stopping'].includes(status) ? 'stopped' : 'starting'
  return {
    id: String(id),
    name,
    state: status === 'deleting' ? 'missing' : state,
    address: public_net?.ipv4?.ip,
    marks: fromLabels(labels),
  }
}
