import * as v from 'valibot'
import { reveal } from '../../../engine/shell/secret.js'
import { all, call } from '../cloud/api.js'
import type { Cloud, Machine } from '../cloud/cloud.js'
import { isGone } from '../cloud/failures.js'
import { asLabels, fromLabels, nameOf } from '../cloud/marks.js'
import { hostName } from '../cloud/user-key.js'
import type { Session } from './keystone.js'
import { floatingAddress, makeGroup, networkExtras, networkOf, removeNetworkExtra } from './neutron.js'

/** What of the settings Nova and Neutron are told. */
export interface Wishes {
  readonly port: number
  readonly allow_ssh: string
  readonly network?: string | undefined
  readonly floating_network?: string | undefined
}

const address = v.object({ version: v.number(), addr: v.string(), 'OS-EXT-IPS:type': v.optional(v.string()) })
const server = v.object({
  id: v.string(),
  name: v.string(),
  status: v.string(),
  metadata: v.record(v.string(), v.string()),
  addresses: v.optional(v.record(v.string(), v.array(address)), {}),
  accessIPv4: v.nullish(v.string()),
  fault: v.optional(v.object({ message: v.string() })),
})
const flavor = v.object({ id: v.string(), name: v.string(), ram: v.number(), vcpus: v.number(), disk: v.number() })
const image = v.object({ id: v.string(), name: v.nullish(v.string()) })
const links = v.array(v.object({ rel: v.string(), href: v.string() }))

/** A region of an OpenStack cloud. */
export function nova(session: Session, wishes: Wishes): Cloud {
  // Whoever asks which regions there are has none to tell.
  const compute = () => session.api('compute')
  const list = <S extends v.GenericSchema>(name: string, path: string, item: S) =>
    all(
      compute(),
      { path, answer: v.object({ [name]: v.array(item) }) },
      (body) => (body as Record<string, readonly v.InferOutput<S>[]>)[name] ?? [],
      (body) => {
        const more = (body as Record<string, unknown>)[`${name}_links`]
        const next = v.is(links, more) ? more.find(({ rel }) => rel === 'next') : undefined
        return next === undefined ? undefined : { path: next.href }
      },
    )

  return {
    ...(session.region === undefined ? {} : { region: session.region }),

    async machines() {
      const found = await list('servers', '/servers/detail', server)
      return found.map(machineOf).filter(({ marks }) => marks !== undefined)
    },

    async machine(id) {
      try {
        const { body } = await call(compute(), { path: `/servers/${encodeURIComponent(id)}`, answer: v.object({ server }) })
        return machineOf(body.server)
      } catch (error) {
        if (isGone(error)) return undefined
        throw error
      }
    },

    extras: async () => (session.has('network') ? networkExtras(session.api('network')) : []),

    async images() {
      const given = session.api('image')
      // The catalog names Glance with its version or without, and its answers name pages below the server's root.
      const glance = { ...given, url: given.url.replace(/\/v2$/, '') }
      const query = { status: 'active', sort: 'created_at:desc', limit: 100 }
      const answer = v.object({ images: v.array(image), next: v.optional(v.string()) })
      const first = { path: '/v2/images', query, answer }
      const found = await all(
        glance,
        first,
        (body) => body.images,
        (body) => {
          const next = v.is(answer, body) ? body.next : undefined
          if (next === undefined) return undefined
          return { query: Object.fromEntries(new URL(next, glance.url).searchParams) }
        },
      )
      return found.map(({ id, name }) => ({ id: name ?? id, name: name ?? id, ref: id }))
    },

    async sizes() {
      const found = await list('flavors', '/flavors/detail', flavor)
      return found.map(({ id, name, ram, vcpus, disk }) => ({ id: name, cpus: vcpus, memory: ram / 1024, disk, ref: id }))
    },

    regions: async () => session.regions.map((id) => ({ id, name: id })),

    async launch(order) {
      const network = session.has('network') ? session.api('network') : undefined
      const named = wishes.network
      const uuid = named === undefined || network === undefined ? named : await networkOf(network, named)
      const group = network === undefined ? undefined : await makeGroup(network, nameOf(order.marks), order.name, wishes)
      const { body } = await call(compute(), {
        method: 'POST',
        path: '/servers',
        body: {
          server: {
            name: hostName(order.name),
            imageRef: order.image.ref ?? order.image.id,
            flavorRef: order.size.ref ?? order.size.id,
            user_data: Buffer.from(reveal(order.userData)).toString('base64'),
            metadata: asLabels(order.marks),
            ...(group === undefined ? {} : { security_groups: [{ name: group }] }),
            ...(uuid === undefined ? {} : { networks: [{ uuid }] }),
          },
        },
        answer: v.object({ server: v.object({ id: v.string() }) }),
      })
      return body.server.id
    },

    ...(wishes.floating_network === undefined
      ? {}
      : {
          surround: ({ id }: Machine, marks) =>
            floatingAddress(session.api('network'), { server: id, from: wishes.floating_network ?? '', name: nameOf(marks) }),
        }),

    async mark({ id }, marks) {
      const body = { metadata: asLabels(marks) }
      await call(compute(), { method: 'POST', path: `/servers/${id}/metadata`, body, answer: v.unknown() })
    },

    remove: async (id) => void (await call(compute(), { method: 'DELETE', path: `/servers/${id}`, answer: v.unknown() })),
    removeExtra: (extra) => removeNetworkExtra(session.api('network'), extra),
  }
}

function machineOf({ id, name, status, metadata, addresses, accessIPv4, fault }: v.InferOutput<typeof server>): Machine {
  const all = Object.values(addresses)
    .flat()
    .filter(({ version }) => version === 4)
  const floating = all.find((each) => each['OS-EXT-IPS:type'] === 'floating')
  return {
    id,
    name,
    state: stateOf(status),
    address: accessIPv4 || (floating ?? all[0])?.addr,
    marks: fromLabels(metadata),
    ...(status === 'ERROR' ? { fault: fault?.message ?? 'its state is ERROR' } : {}),
  }
}

function stateOf(status: string): Machine['state'] {
  if (['ACTIVE', 'REBOOT', 'HARD_REBOOT', 'PASSWORD'].includes(status)) return 'running'
  if (['DELETED', 'SOFT_DELETED'].includes(status)) return 'missing'
  return ['BUILD', 'REBUILD'].includes(status) ? 'starting' : 'stopped'
}
