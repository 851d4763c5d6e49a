import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import type { Step } from '../engine/step/step.js'
import type { TargetContext } from '../engine/task/context.js'
import { Result } from '../engine/task/result.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { discard } from '../recipes/bundle.js'
import { forgetFormer, type Loaded, parseLoaded, readLoaded, swapBack, undoInterrupted } from '../recipes/exchange.js'
import { confirmLoss, requireAnswer } from './confirm.js'
import { connectAnew } from './connect-anew.js'
import { dataServices } from './data-services.js'
import { firstWebNode } from './first-node.js'
import { holdLock } from './hold-lock.js'
import { notThere, requireOwner } from './require-owner.js'

type Context = Pick<TargetContext<unknown>, 'target' | 'session' | 'line' | 'call'>

/** Swaps back what the last load put aside; what it loaded is put aside in its turn. */
export async function undoLoad(context: Context): Promise<Result> {
  const { target, session, call } = context
  const { instance, node, what, services: names } = await lastLoad(context)
  const services = await dataServices(instance, names)
  const all = names.join(' and ')
  requireAnswer(session, 'load --undo')
  await confirmLoss(
    session,
    `Put ${all} of ${instance.name} on ${node.name} back to what was there before ${what}? What was written since is put aside`,
    instance.settings.live ? instance.project.name : undefined,
  )
  await underLock(context, instance, node, 'Swap back', [
    ...undoInterrupted(instance),
    ...discard(instance, undefined, services),
    ...swapBack(instance, services, `an undo of ${what}`),
    ...discard(instance, undefined, services),
  ])
  await connectAnew(node, instance, async () => call(await session.task('reload')))
  const would = session.flags.dryRun ? 'would be' : services.length === 1 ? 'is' : 'are'
  return new Result(`${all} ${would} as before ${what}. Once more takes that back: kraft load:${target.word} --undo`, {
    services: names,
  })
}

/** Removes what the last load put aside. */
export async function dropFormer(context: Context): Promise<Result> {
  const { session } = context
  const { instance, node, what, services: names } = await lastLoad(context)
  requireAnswer(session, 'load --drop-old')
  await confirmLoss(session, `Remove for good what was there before ${what}?`)
  await underLock(context, instance, node, 'Remove the former data', [
    ...undoInterrupted(instance),
    ...forgetFormer(instance, await dataServices(instance, [])),
  ])
  return new Result(`What was there before ${what} ${session.flags.dryRun ? 'would be' : 'is'} gone`, { services: names })
}

async function lastLoad({ target }: Context): Promise<Loaded & { readonly instance: Instance; readonly node: Node }> {
  const instance = requireInstance(target)
  const node = firstWebNode(target)
  await requireOwner(node, instance, notThere)
  const loaded = parseLoaded(await node.read(readLoaded(instance).text))
  if (loaded !== undefined) return { ...loaded, instance, node }
  throw new KraftError({
    kind: 'task',
    node: node.name,
    message: `${instance.name} has no data that a load put aside`,
    next: 'Nothing was changed. To go back further, load a bundle: kraft load:TARGET FILE',
  })
}

async function underLock({ session, line }: Context, instance: Instance, node: Node, title: string, steps: readonly Step[]) {
  const run = async (own: typeof line) => void (await node.apply(title, steps, own))
  if (session.flags.dryRun) return line.list([{ title, run }])
  const lock = await holdLock(session, node, instance.name, line)
  try {
    await line.list([{ title, run }])
  } finally {
    await lock.release()
  }
}
