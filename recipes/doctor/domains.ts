import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Node } from '../../engine/node/node.js'
import { isInstance } from '../../project/instance.js'
import { facingVisitors } from '../followers.js'
import { loadKind } from '../kinds.js'
import type { Check, Seen } from './check.js'
import { doubtful, type Finding, wrong } from './finding.js'

/** The domains of an environment in the DNS: they lead to the nodes that visitors come to. */
export const domains: Check = {
  name: 'domains',
  title: 'Domains in the DNS',
  async look({ targets }) {
    const resolver = new Resolver({ timeout: 3_000, tries: 2 })
    const seen = targets.map(async ({ nodes, project }): Promise<readonly Seen[]> => {
      if (project === undefined || !isInstance(project)) return []
      const { domain, aliases } = project.settings
      const facing = facingVisitors(nodes)
      const ours = (await Promise.all(facing.map(addressesOf))).flat()
      // The names of nodes on this machine are in its hosts file alone.
      const find = (await Promise.all(facing.map(isHere))).every(Boolean) ? inTheHostsFile : inTheDns(resolver)
      return Promise.all((domain === undefined ? [] : [domain, ...aliases]).map((name) => lookAt(name, ours, find)))
    })
    return (await Promise.all(seen)).flat()
  },
}

/** The addresses of a name; none where it is not known. Throws where nobody could tell. */
export type Find = (name: string) => Promise<readonly string[]>

/** Where a name leads, against the addresses that it should lead to. */
export async function lookAt(name: string, ours: readonly string[], find: Find): Promise<Seen> {
  const found = await find(name).catch((error: unknown) => error)
  if (!Array.isArray(found)) {
    const code = found instanceof Error && 'code' in found ? ` (${found.code})` : ''
    const finding = doubtful(`The DNS did not tell where it leads${code}`, `Check the network, then: getent ahosts ${name}`)
    return { about: name, said: '', findings: [finding] }
  }
  return { about: name, said: `leads to ${found.join(', ')}`, findings: judge(name, found, ours) }
}

function judge(name: string, found: readonly string[], ours: readonly string[]): readonly Finding[] {
  const records = ours.map((address) => `${name} ${isIP(address) === 6 ? 'AAAA' : 'A'} ${address}`).join(', ')
  if (found.length === 0) return [wrong('It has no address', `Add it where the domain is kept: ${records}`)]
  const strange = found.filter((address) => !ours.includes(address))
  if (strange.length === 0) return []
  if (strange.length < found.length) {
    const what = `It leads to ${strange.join(', ')} as well, which is none of its nodes: some visitors come there`
    return [wrong(what, `Take that out where the domain is kept, so that this is left: ${records}`)]
  }
  const what = `It leads to ${strange.join(', ')}, its nodes are at ${ours.join(', ')}`
  return [doubtful(what, `If no CDN or load balancer is there, correct it where the domain is kept: ${records}`)]
}

/** A name in the DNS, whatever this machine's hosts file says. */
export function inTheDns(resolver: Resolver): Find {
  return async (name) => {
    const answers = await Promise.all([resolver.resolve4(name).catch(noneOr), resolver.resolve6(name).catch(noneOr)])
    return answers.flat()
  }
}

async function inTheHostsFile(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true }).catch(noneOr)
  return [...new Set(found.map((each) => (typeof each === 'string' ? each : each.address)))]
}

// A provider that is not known any more is told by a check of its own.
async function isHere({ record }: Node): Promise<boolean> {
  const provider = await loadKind('providers', record.provider).catch(() => undefined)
  return provider?.onThisMachine === true
}

function noneOr(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENODATA' || error.code === 'ENOTFOUND') return []
  throw error
}

async function addressesOf({ record }: Node): Promise<readonly string[]> {
  if (isIP(record.address) !== 0) return [record.address]
  const found = await lookup(record.address, { all: true }).catch(() => [])
  return found.map(({ address }) => address)
}
