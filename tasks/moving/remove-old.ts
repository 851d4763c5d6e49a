import { KraftError } from '../../engine/errors/failure.js'
import type { Line } from '../../engine/report/report.js'
import type { Target } from '../../engine/task/context.js'
import { Result } from '../../engine/task/result.js'
import type { Session } from '../../engine/task/session.js'
import { requireInstance } from '../../project/instance.js'
import { destroyInstance } from '../../recipes/destroy.js'
import { movedFrom, passedOnByNobody } from '../../recipes/moved.js'
import { confirmLoss, requireAnswer } from '../confirm.js'
import { firstWebNode } from '../first-node.js'
import { holdLock } from '../hold-lock.js'
import { stateOn } from '../releases.js'
import { requireOwner } from '../require-owner.js'
import { dnsAdvice } from './domains.js'
import { recordOf } from './way.js'

/** Removes an instance from the node that it has moved from, with the data that were left there. */
export async function removeOld(target: Target, session: Session, line: Line): Promise<Result> {
  requireAnswer(session, 'move --remove-old')
  const instance = requireInstance(target)
  const node = firstWebNode(target)
  const name = (await node.read(movedFrom(instance).text)).trim()
  if (name === '') {
    throw new KraftError({
      kind: 'task',
      node: node.name,
      message: `${instance.name} has not moved here, or what it left was removed already`,
      next: 'To remove all of it, data included: kraft destroy:TARGET',
    })
  }
  const old = session.connect(await recordOf(session, name), 'every')
  await requireOwner(old, instance, 'Nothing was removed. Call kraft in that project')
  const { moved } = await stateOn(old, instance)
  if (moved !== undefined && moved !== node.name) {
    throw new KraftError({
      kind: 'task',
      node: old.name,
      message: `${instance.name} has moved from here to ${moved}, not to ${node.name}`,
      next: 'Nothing was removed. Have kraftwerk.yaml name the node that has the data',
    })
  }
  if (moved === undefined && (await stateOn(old, instance)).current !== undefined) {
    throw new KraftError({
      kind: 'task',
      node: old.name,
      message: `${instance.name} serves on ${old.name} again since it has moved`,
      next: `Nothing was removed. Stop one of the two: they have different data`,
    })
  }
  const advice = await dnsAdvice(instance, old.record.address, node.record.address)
  for (const each of advice) line.output(each)
  await confirmLoss(
    session,
    `Remove ${instance.name} from ${old.name}, with the data as they were when it moved? Requests that come there are passed on no more`,
    instance.settings.live ? instance.project.name : undefined,
  )
  const lock = session.flags.dryRun ? undefined : await holdLock(session, old, instance.name, line)
  try {
    const steps = await destroyInstance(instance)
    await line.list([
      { title: `Remove ${instance.name} from ${old.name}`, run: async (own) => void (await old.apply('Remove', steps, own)) },
      {
        title: `${node.name} believes ${old.name} no more who visitors are`,
        run: async (own) => void (await node.apply('Believe nobody', passedOnByNobody(instance), own)),
      },
    ])
  } finally {
    await lock?.release()
  }
  return new Result(`${session.flags.dryRun ? 'Would remove' : 'Removed'} ${instance.name} from ${old.name}`, {
    from: old.name,
    removed: !session.flags.dryRun,
  })
}
