import { KraftError } from '../../../engine/errors/failure.js'
import type { Cloud, Extra } from './cloud.js'
import { isBusy, isGone } from './failures.js'
import { marksIn } from './marks.js'
import { poll } from './poll.js'

/**
 * Removes all that bears a node's own mark: the machine, and once that is gone what was beside it. Gone already is fine, and an
 * id that somebody wrote into nodes.yaml removes nothing. Cannot be interrupted.
 */
export async function removeAll(cloud: Cloud, node: string, id: string, progress: (line: string) => void): Promise<void> {
  for (const machine of (await cloud.machines()).filter(({ marks }) => marks?.id === id)) {
    progress(`Removing ${machine.id}`)
    await insist(node, `the machine ${machine.id}`, () => cloud.remove(machine.id))
    const gone = await poll(
      async () => {
        const state = (await cloud.machine(machine.id))?.state
        return state === undefined || state === 'missing' ? true : undefined
      },
      { within: 600_000 },
    )
    if (gone === undefined) {
      throw new KraftError({
        kind: 'task',
        node,
        message: `${machine.id} was told to go and is still there after ten minutes`,
        next: `Once it is gone, what is beside it goes with kraft terminate:${node}; where it is not remembered, with the next kraft provision ${node}.`,
      })
    }
  }
  const extras = (await cloud.extras()).filter(({ name }) => marksIn(name)?.id === id)
  for (const extra of extras) await insist(node, `the ${extra.kind} ${extra.name}`, () => cloud.removeExtra(extra))
}

/** Removes what earlier runs left that died before they had a machine. Whatever is still in use stays. */
export async function removeLeftovers(cloud: Cloud, owner: string): Promise<void> {
  const inUse = new Set((await cloud.machines()).map(({ marks }) => marks?.id))
  const left = (extra: Extra) => {
    const marks = marksIn(extra.name)
    return marks?.for === owner && !inUse.has(marks.id)
  }
  for (const extra of (await cloud.extras()).filter(left)) {
    await cloud.removeExtra(extra).catch((error: unknown) => {
      if (!isGone(error) && !isBusy(error)) throw error
    })
  }
}

// A firewall is in use for a while after the end of its machine, and a machine is locked while something is done to it.
async function insist(node: string, what: string, remove: () => Promise<void>): Promise<void> {
  const done = await poll(
    async () => {
      try {
        await remove()
        return true
      } catch (error) {
        if (isBusy(error)) return undefined
        if (!isGone(error)) throw error
        return true
      }
    },
    { within: 180_000 },
  )
  if (done) return
  throw new KraftError({
    kind: 'task',
    node,
    message: `Something still uses ${what}`,
    next: 'Remove it by hand once nothing does.',
  })
}
