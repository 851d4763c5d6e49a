import type { NodeRecord } from '../engine/node/record.js'
import { loadKind } from './kinds.js'

/** Whether a node is on this machine, as its provider says. False for a provider that is not known any more. */
export async function isOnThisMachine({ provider }: Pick<NodeRecord, 'provider'>): Promise<boolean> {
  const known = await loadKind('providers', provider).catch(() => undefined)
  return known?.onThisMachine === true
}
