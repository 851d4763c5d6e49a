import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { usedServices } from '../recipes/application.js'
import { destroyInstance } from '../recipes/destroy.js'
import { confirmLoss, requireAnswer } from './confirm.js'
import { requireOwner } from './require-owner.js'

/** Removes an instance from its nodes, with its services and all of its data. */
export const destroy = task({
  on: 'once',
  ownConnection: true,
  needs: 'instance',
  group: 'Data',
  help: 'remove the instance from its nodes, with its services and all of its data',
  destructive: true,
  examples: ['kraft destroy:stage'],
  async run({ target, session, line }) {
    const instance = requireInstance(target)
    requireAnswer(session, 'destroy')
    const where = target.nodes.map(({ name }) => name).join(', ')
    const services = (await usedServices(instance)).map(({ service }) => service.name)
    for (const node of target.nodes) {
      await requireOwner(node, instance, 'Nothing was removed. Call kraft in that project')
    }
    await confirmLoss(
      session,
      `Remove ${instance.name} from ${where}, with all data (${services.join(', ') || 'no services'})?`,
      instance.settings.live ? instance.project.name : undefined,
    )
    await line.list(
      target.nodes.map((node) => ({
        title: `Remove ${instance.name} from ${node.name}`,
        run: async (own) => void (await node.apply('Remove', await destroyInstance(instance), own)),
      })),
    )
    return new Result(`${session.flags.dryRun ? 'Would remove' : 'Removed'} ${instance.name} from ${where}`, {
      name: instance.name,
      nodes: target.nodes.map(({ name }) => name),
    })
  },
})
