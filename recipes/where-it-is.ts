import type { Node } from '../engine/node/node.js'
import type { Session } from '../engine/task/session.js'
import { loadKind } from './kinds.js'

/** What to do about a node that does not answer, by what its provider knows of it; undefined where that is no help. Never throws. */
export async function whereItIs(session: Session, { name, record }: Node): Promise<string | undefined> {
  try {
    const provider = await loadKind('providers', record.provider)
    if (provider.keeps === true) return undefined
    const now = await provider.describe(record, session.user.providers[record.provider] ?? {})
    if (now === 'stopped') {
      const is = `It is stopped (${provider.name}).`
      if (provider.start !== undefined) return `${is} Start it: kraft start:${name}`
      return `${is} Start it there; then kraft provision ${name} finds it, also at another address`
    }
    if (now === 'missing')
      return `It is gone (${provider.name}). Forget it: kraft terminate:${name}; or make it anew: kraft provision ${name}`
    return undefined
  } catch {
    // Whether the provider answers, and whether ~/.kraftwerk.yaml is right, is for others to tell.
    return undefined
  }
}
