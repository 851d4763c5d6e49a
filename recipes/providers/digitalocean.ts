import * as v from 'valibot'
import { reveal } from '../../engine/shell/secret.js'
import { ApiError, type ApiSpec, all, type Call, call } from './cloud/api.js'
import { everywhere } from './cloud/cidr.js'
import type { Cloud, Machine, Order } from './cloud/cloud.js'
import { isGone } from './cloud/failures.js'
import { asTags, fromTags, nameOf } from './cloud/marks.js'
import { cloudProvider } from './cloud/provider.js'
import { fromVariables, machineSection, missingKeys, text } from './cloud/settings.js'
import { hostName, md5Fingerprint } from './cloud/user-key.js'

const tokens = ['DIGITALOCEAN_ACCESS_TOKEN', 'DIGITALOCEAN_TOKEN']

const section = {
  secret: {
    schema: v.optional(text),
    doc: `API token (read and write); without it ${tokens.join(' or ')}`,
    secret: true,
    variables: tokens,
  },
  ...machineSection({ image: 'debian-12-x64', size: 's-1vcpu-2gb', region: 'fra1', login: 'root' }),
}

/** Droplets of DigitalOcean, API version 2. */
export const provider = cloudProvider({
  name: 'digitalocean',
  doc: 'A droplet of DigitalOcean (not yet tried on the real thing)',
  section,
  vendor: {
    title: 'DigitalOcean',
    credential: 'API token',
    renew: `Set ${tokens[0]}, or secret below digitalocean in ~/.kraftwerk.yaml; the control panel makes tokens under API.`,
    quota: 'https://cloud.digitalocean.com/account/team/droplet_limit_increase',
    limit: /(droplet|key|firewall)s? limit|exceed your/i,
  },
  missing: (settings) => missingKeys(settings, { secret: tokens, location_id: [] }),
  open: async ({ secret, endpoint, port, allow_ssh }, { progress }) =>
    digitalocean(
      {
        url: endpoint ?? 'https://api.digitalocean.com/v2',
        headers: { authorization: `Bearer ${secret ?? fromVariables(tokens)}` },
        fault: (body) => (v.is(fault, body) ? { code: body.id, message: body.message } : undefined),
        progress,
      },
      { port, allow_ssh },
    ),
})

const fault = v.object({ id: v.string(), message: v.string() })
const droplet = v.object({
  id: v.number(),
  name: v.string(),
  status: v.string(),
  tags: v.array(v.string()),
  networks: v.nullish(v.object({ v4: v.array(v.object({ ip_address: v.string(), type: v.string() })) })),
})
const image = v.object({ id: v.number(), name: v.string(), distribution: v.string(), slug: v.nullish(v.string()) })
const size = v.object({
  slug: v.string(),
  memory: v.number(),
  vcpus: v.number(),
  disk: v.number(),
  price_monthly: v.number(),
  regions: v.array(v.string()),
  available: v.boolean(),
})
const firewall = v.object({ id: v.string(), name: v.string() })
const key = v.object({ id: v.number(), name: v.string(), fingerprint: v.string() })
const nextPage = v.object({ links: v.object({ pages: v.object({ next: v.string() }) }) })

function digitalocean(api: ApiSpec, { port, allow_ssh }: { port: number; allow_ssh: string }): Cloud {
  const list = <S extends v.GenericSchema, Item>(asked: Call<S>, items: (body: v.InferOutput<S>) => readonly Item[]) =>
    all(api, { ...asked, query: { per_page: 200, ...asked.query } }, items, (body) =>
      v.is(nextPage, body) ? { path: body.links.pages.next } : undefined,
    )
  const remove = async (path: string) => void (await call(api, { method: 'DELETE', path, answer: v.unknown() }))
  const firewalls = () =>
    list({ path: '/firewalls', answer: v.object({ firewalls: v.array(firewall) }) }, (body) => body.firewalls)

  return {
    async machines() {
      const query = { tag_name: 'kraftwerk' }
      const answer = v.object({ droplets: v.array(droplet) })
      return (await list({ path: '/droplets', query, answer }, (body) => body.droplets))
        .map(machineOf)
        .filter(({ marks }) => marks !== undefined)
    },

    async machine(id) {
      try {
        const { body } = await call(api, { path: `/droplets/${encodeURIComponent(id)}`, answer: v.object({ droplet }) })
        return machineOf(body.droplet)
      } catch (error) {
        if (isGone(error)) return undefined
        throw error
      }
    },

    async extras() {
      const [walls, keys] = await Promise.all([
        firewalls(),
        list({ path: '/account/keys', answer: v.object({ ssh_keys: v.array(key) }) }, (body) => body.ssh_keys),
      ])
      return [
        ...walls.map(({ id, name }) => ({ kind: 'firewall', id, name })),
        ...keys.map(({ id, name }) => ({ kind: 'key', id: String(id), name })),
      ]
    },

    async images() {
      const answer = v.object({ images: v.array(image) })
      const [own, distributions] = await Promise.all([
        list({ path: '/images', query: { private: 'true' }, answer }, (body) => body.images),
        list({ path: '/images', query: { type: 'distribution' }, answer }, (body) => body.images),
      ])
      return [...distributions, ...own].map(({ id, name, distribution, slug }) => ({
        id: slug ?? String(id),
        name: `${distribution} ${name}`,
        ref: slug ?? id,
      }))
    },

    async sizes() {
      const found = await list({ path: '/sizes', answer: v.object({ sizes: v.array(size) }) }, (body) => body.sizes)
      return found
        .filter(({ available }) => available)
        .map(({ slug, memory, vcpus, disk, price_monthly, regions }) => ({
          id: slug,
          cpus: vcpus,
          memory: memory / 1024,
          disk,
          price: `${price_monthly.toFixed(2)} USD a month`,
          regions,
        }))
    },

    async regions() {
      const region = v.object({ slug: v.string(), name: v.string(), available: v.boolean() })
      const found = await list({ path: '/regions', answer: v.object({ regions: v.array(region) }) }, (body) => body.regions)
      return found.filter(({ available }) => available).map(({ slug, name }) => ({ id: slug, name }))
    },

    async launch(order) {
      const fingerprint = await keyFor(order)
      const { body } = await call(api, {
        method: 'POST',
        path: '/droplets',
        body: {
          name: hostName(order.name),
          region: order.region,
          size: order.size.id,
          image: order.image.ref ?? order.image.id,
          // Without a key DigitalOcean sets a password for root that has to be changed at the first login, and mails it.
          ssh_keys: [fingerprint],
          user_data: reveal(order.userData),
          tags: asTags(order.marks),
        },
        answer: v.object({ droplet: v.object({ id: v.number() }) }),
      })
      return String(body.droplet.id)
    },

    // A firewall is put around droplets that are there.
    async surround({ id, address }, marks) {
      const name = nameOf(marks)
      if ((await firewalls()).some((each) => each.name === name)) return address
      const inbound = (to: number, addresses: readonly string[]) => ({
        protocol: 'tcp',
        ports: String(to),
        sources: { addresses },
      })
      const outbound = (protocol: string) => ({ protocol, ports: 'all', destinations: { addresses: everywhere } })
      await call(api, {
        method: 'POST',
        path: '/firewalls',
        body: {
          name,
          inbound_rules: [
            inbound(port, [allow_ssh]),
            inbound(80, everywhere),
            inbound(443, everywhere),
            { protocol: 'icmp', sources: { addresses: everywhere } },
          ],
          outbound_rules: [outbound('tcp'), outbound('udp'), { protocol: 'icmp', destinations: { addresses: everywhere } }],
          droplet_ids: [Number(id)],
        },
        answer: v.unknown(),
      })
      return address
    },

    async mark({ id, marks: before }, marks) {
      const known = before === undefined ? [] : asTags(before)
      for (const name of asTags(marks).filter((tag) => !known.includes(tag))) {
        await call(api, { method: 'POST', path: '/tags', body: { name }, answer: v.unknown() }).catch((error: unknown) => {
          // It may be there already.
          if (!(error instanceof ApiError && [409, 422].includes(error.status))) throw error
        })
        const body = { resources: [{ resource_id: id, resource_type: 'droplet' }] }
        await call(api, { method: 'POST', path: `/tags/${name}/resources`, body, answer: v.unknown() })
      }
    },

    // Tags outlive their droplet. Those that nodes share stay; a token that may not remove tags leaves them.
    async remove(id) {
      const { marks } = (await this.machine(id)) ?? {}
      await remove(`/droplets/${id}`)
      for (const tag of marks === undefined ? [] : asTags(marks).filter((each) => each.includes(':'))) {
        await remove(`/tags/${tag}`).catch((error: unknown) => {
          if (!(error instanceof ApiError && [403, 404].includes(error.status))) throw error
        })
      }
    },
    removeExtra: ({ kind, id }) => remove(kind === 'key' ? `/account/keys/${id}` : `/firewalls/${id}`),
  }

  // A key can be in an account once; whoever put it there keeps it.
  async function keyFor({ publicKey, marks }: Order): Promise<string> {
    const fingerprint = md5Fingerprint(publicKey)
    try {
      await call(api, { path: `/account/keys/${fingerprint}`, answer: v.unknown() })
    } catch (error) {
      if (!isGone(error)) throw error
      const body = { name: nameOf(marks), public_key: publicKey }
      await call(api, { method: 'POST', path: '/account/keys', body, answer: v.unknown() })
    }
    return fingerprint
  }
}

function machineOf({ id, name, status, tags, networks }: v.InferOutput<typeof droplet>): Machine {
  return {
    id: String(id),
    name,
    state: status === 'active' ? 'running' : status === 'new' ? 'starting' : 'stopped',
    address: networks?.v4.find(({ type }) => type === 'public')?.ip_address,
    marks: fromTags(tags),
  }
}
