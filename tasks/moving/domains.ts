import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Instance } from '../../project/instance.js'

const patience = 3_000

/**
 * What is to be changed in DNS, a sentence for each name: kraft can't do it. Names that lead to neither node are said as well.
 */
export async function dnsAdvice({ settings }: Instance, from: string, to: string): Promise<readonly string[]> {
  const { domain, aliases } = settings
  if (domain === undefined)
    return [`It has no domain: visitors find it at ${to} from now on, and at ${from} as long as that node is there`]
  const [former, next] = await Promise.all([addressesOf(from), addressesOf(to)])
  return Promise.all(
    [domain, ...aliases].map(async (name) => {
      const found = await addressesOf(name)
      if (found.some((each) => former.includes(each))) return `DNS: ${name} leads to ${from}; have it lead to ${to}`
      if (found.some((each) => next.includes(each))) return `DNS: ${name} leads to ${to} already`
      if (found.length === 0) return `DNS: ${name} is not found from here; it has to lead to ${to}`
      return `DNS: ${name} leads to ${found.join(', ')}, which is neither node; if that passes on to ${from}, have it pass on to ${to}`
    }),
  )
}

/** Addresses of a name; none where it is not found soon. */
async function addressesOf(name: string): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name]
  const late = new Promise<readonly string[]>((resolve) => setTimeout(resolve, patience, []).unref())
  const found = lookup(name, { all: true }).then(
    (all) => all.map(({ address }) => address),
    () => [],
  )
  return Promise.race([found, late])
}
