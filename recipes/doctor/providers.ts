import { providerSettings, type UserSettings } from '../../engine/config/user.js'
import { loadKind } from '../kinds.js'
import type { Check, Seen, Surroundings } from './check.js'
import { doubtful, type Finding, findingOf, wrong } from './finding.js'
import { within } from './within.js'

/** Milliseconds that a provider may take to answer. */
const patience = 10_000

/** The providers that are set or have made a node: what this machine lacks for them, and whether their credentials work. */
export const providers: Check = {
  name: 'providers',
  title: 'Providers',
  async look(around) {
    return Promise.all(used(around).map(async (name) => ({ about: `Provider ${name}`, ...(await lookAt(name, around)) })))
  },
}

function used({ session, targets, nodes, remembered }: Surroundings): readonly string[] {
  const records = targets.length > 0 ? nodes.map(({ record }) => record) : remembered
  const user = userSettings(session)
  if (user === undefined) return []
  const chosen = user.provider === undefined ? [] : [user.provider]
  return [...new Set([...chosen, ...Object.keys(user.providers), ...records.map((record) => record.provider)])].sort()
}

// What is wrong with ~/.kraftwerk.yaml is told by its own check, and nothing of it counts here.
function userSettings(session: Surroundings['session']): UserSettings | undefined {
  try {
    return session.user
  } catch {
    return undefined
  }
}

async function lookAt(name: string, { session }: Surroundings): Promise<Omit<Seen, 'about'>> {
  try {
    const provider = await loadKind('providers', name)
    const lacks = ((await provider.lacks?.()) ?? []).map(({ what, next, byItself }) => (byItself ? doubtful : wrong)(what, next))
    if (lacks.length > 0) return { said: '', findings: lacks }
    const settings = await providerSettings(session.user, name, provider.section)
    const missing = (provider.missing?.(settings) ?? []).filter(({ toMake }) => toMake !== true)
    if (missing.length > 0) return { said: '', findings: missing.map((each) => unset(name, each.key, each.variables)) }
    if (provider.list === undefined) return { said: 'needs nothing', findings: [] }
    const made = await within(patience, provider.list(settings))
    if (made === undefined) {
      const what = `It did not answer within ${patience / 1000} seconds`
      return { said: '', findings: [doubtful(what, `Check the network, then: kraft nodes --provider ${name}`)] }
    }
    return { said: `answers; kraft made ${made.length} node${made.length === 1 ? '' : 's'} there`, findings: [] }
  } catch (error) {
    return { said: '', findings: [findingOf(error)] }
  }
}

function unset(name: string, key: string, variables: readonly string[]): Finding {
  const ways = [`KRAFT_${name}_${key}`.toUpperCase().replaceAll('-', '_'), ...variables]
  return wrong(`It needs ${key}`, `Set ${key} below ${name} in ~/.kraftwerk.yaml, or in the environment: ${ways.join(' or ')}`)
}
