import { isDeepStrictEqual } from 'node:util'
import { isKraftError, KraftError } from '../engine/errors/failure.js'
import { remember } from '../engine/node/inventory.js'
import type { Node } from '../engine/node/node.js'
import type { Provider } from '../engine/node/provider.js'
import type { Item } from '../engine/report/report.js'
import type { TargetContext } from '../engine/task/context.js'
import { loadKind } from '../recipes/kinds.js'
import { whereItIs } from '../recipes/where-it-is.js'
import { nodeWork } from './snapshot-keeper.js'

type Context = Pick<TargetContext<unknown>, 'target' | 'session' | 'line'>

/** What {@link startMachines} has found and done. */
interface Started {
  readonly nodes: readonly Node[]
  readonly started: readonly string[]
  readonly elsewhere: readonly string[]
}

/** A node whose machine is off, and who can start it. */
interface Off {
  readonly node: Node
  readonly provider: Provider
  readonly start: NonNullable<Provider['start']>
}

/**
 * Starts those machines of a target that are off at a provider which can start them, after a reboot of this machine for example, and
 * logs in to each, which checks its host key. Gives the nodes as they are to be used now, the names of those that were started (in a dry
 * run: that would be), and of those that are at another address now.
 */
export async function startMachines({ target, session, line }: Context): Promise<Started> {
  const off: Off[] = []
  for (const node of target.nodes) {
    const provider = await loadKind('providers', node.record.provider)
    if (provider.start === undefined) {
      const where = await whereItIs(session, node)
      if (where !== undefined)
        throw new KraftError({ kind: 'task', node: node.name, message: 'kraft can not start it', next: where })
      continue
    }
    const { settings } = await nodeWork(session, node.record, line)
    const state = await provider.describe(node.record, settings).catch((error: unknown) => {
      // Whoever has no credentials there may start the site all the same, and the login tells whether the machine is on.
      if (provider.onThisMachine === true || target.project === undefined || !isKraftError(error)) throw error
      return 'running'
    })
    if (state !== 'running') off.push({ node, provider, start: provider.start })
  }
  const nodes = new Map(target.nodes.map((node) => [node.name, node]))
  const items = off.map(
    ({ node, provider, start }): Item => ({
      title: `Start the machine ${node.name} (${node.record.provider})`,
      run: async (own) => {
        const record = await start(node.record, await nodeWork(session, node.record, own))
        await session.disconnect(node.name)
        if (!isDeepStrictEqual(record, node.record)) await remember(record, session.project?.folder, provider)
        const fresh = session.connect(record, node.roles)
        nodes.set(node.name, fresh)
        await fresh.read('true')
      },
    }),
  )
  if (!session.flags.dryRun && items.length > 0) await line.list(items)
  const now = [...nodes.values()]
  const elsewhere = target.nodes.filter(({ name, record }) => nodes.get(name)?.record.address !== record.address)
  return { nodes: now, started: off.map(({ node }) => node.name), elsewhere: elsewhere.map(({ name }) => name) }
}
