import * as v from 'valibot'
import { KraftError } from '../../../engine/errors/failure.js'
import { type ApiSpec, all, call } from '../cloud/api.js'
import { byKind, everywhere } from '../cloud/cidr.js'
import type { Extra } from '../cloud/cloud.js'
import type { Wishes } from './cloud.js'

const named = v.object({ id: v.string(), name: v.string() })
const links = v.array(v.object({ rel: v.string(), href: v.string() }))
const floating = v.object({
  id: v.string(),
  floating_ip_address: v.string(),
  description: v.optional(v.nullable(v.string())),
  port_id: v.nullish(v.string()),
})

function list<S extends v.GenericSchema>(api: ApiSpec, name: string, path: string, item: S, query: Record<string, string> = {}) {
  return all(
    api,
    { path: `${base(api)}/${path}`, query, answer: v.object({ [name]: v.array(item) }) },
    (body) => (body as Record<string, readonly v.InferOutput<S>[]>)[name] ?? [],
    (body) => {
      const more = (body as Record<string, unknown>)[`${name}_links`]
      const next = v.is(links, more) ? more.find(({ rel }) => rel === 'next') : undefined
      return next === undefined ? undefined : { path: next.href }
    },
  )
}

// Catalogs name Neutron with its version or without.
function base({ url }: ApiSpec): string {
  return /\/v2(\.0)?$/.test(url) ? '' : '/v2.0'
}

/** The security groups and floating addresses of the project. A floating address has no name, its description stands for it. */
export async function networkExtras(api: ApiSpec): Promise<readonly Extra[]> {
  const [groups, addresses] = await Promise.all([
    list(api, 'security_groups', 'security-groups', named),
    list(api, 'floatingips', 'floatingips', floating),
  ])
  return [
    ...addresses.map(({ id, description }) => ({ kind: 'floatingip', id, name: description ?? '' })),
    ...groups.map(({ id, name }) => ({ kind: 'security-group', id, name })),
  ]
}

/** Removes one of these. */
export async function removeNetworkExtra(api: ApiSpec, { kind, id }: Extra): Promise<void> {
  await call(api, { method: 'DELETE', path: `${base(api)}/${kind}s/${id}`, answer: v.unknown() })
}

/** Makes the security group of one node, and gives its name: ssh from where the settings say, 80 and 443 from everywhere. */
export async function makeGroup(api: ApiSpec, name: string, node: string, { port, allow_ssh }: Wishes): Promise<string> {
  const { body } = await call(api, {
    method: 'POST',
    path: `${base(api)}/security-groups`,
    body: { security_group: { name, description: `kraftwerk: node ${node}` } },
    answer: v.object({ security_group: named }),
  })
  for (const [to, ranges] of [[port, [allow_ssh]] as const, [80, everywhere] as const, [443, everywhere] as const]) {
    const { four, six } = byKind(ranges)
    for (const [ethertype, prefixes] of [['IPv4', four] as const, ['IPv6', six] as const]) {
      for (const prefix of prefixes) {
        const security_group_rule = {
          security_group_id: body.security_group.id,
          direction: 'ingress',
          ethertype,
          protocol: 'tcp',
          port_range_min: to,
          port_range_max: to,
          remote_ip_prefix: prefix,
        }
        const path = `${base(api)}/security-group-rules`
        await call(api, { method: 'POST', path, body: { security_group_rule }, answer: v.unknown() })
      }
    }
  }
  return name
}

/** The id of a network of the settings, which may be its id or its name. Throws a KraftError `usage`. */
export async function networkOf(api: ApiSpec, wanted: string): Promise<string> {
  const found = await list(api, 'networks', 'networks', named)
  const [first, ...more] = found.filter(({ id, name }) => id === wanted || name === wanted)
  if (first !== undefined && more.length === 0) return first.id
  throw new KraftError({
    kind: 'usage',
    message: first === undefined ? `The project sees no network ${wanted}` : `Several networks are called ${wanted}`,
    next: `There are ${found.map(({ id, name }) => `${name} (${id})`).join(', ')}`,
  })
}

/** The floating address of a server: the one that an earlier run made, else a new one from that network. */
export async function floatingAddress(
  api: ApiSpec,
  { server, from, name }: { readonly server: string; readonly from: string; readonly name: string },
): Promise<string> {
  const known = (await list(api, 'floatingips', 'floatingips', floating)).find(({ description }) => description === name)
  if (known?.port_id != null) return known.floating_ip_address
  const [port] = await list(api, 'ports', 'ports', v.object({ id: v.string() }), { device_id: server })
  if (port === undefined) {
    throw new KraftError({
      kind: 'task',
      message: `The server ${server} has no port that a floating address could lead to`,
      next: 'Set network to one of the project, or leave floating_network out.',
    })
  }
  const answer = v.object({ floatingip: floating })
  if (known !== undefined) {
    const body = { floatingip: { port_id: port.id } }
    const path = `${base(api)}/floatingips/${known.id}`
    return (await call(api, { method: 'PUT', path, body, answer })).body.floatingip.floating_ip_address
  }
  const floatingip = { floating_network_id: await networkOf(api, from), port_id: port.id, description: name }
  const path = `${base(api)}/floatingips`
  return (await call(api, { method: 'POST', path, body: { floatingip }, answer })).body.floatingip.floating_ip_address
}
