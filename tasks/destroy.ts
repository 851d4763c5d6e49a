import type { Node } from '../engine/node/node.js'
import type { Line } from '../engine/report/report.js'
import { sh } from '../engine/shell/sh.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { s3Folder } from '../project/s3.js'
import { usedServices } from '../recipes/application.js'
import { destroyInstance } from '../recipes/destroy.js'
import { confirmLoss, requireAnswer } from './confirm.js'
import { requireOwner } from './require-owner.js'
import { type Begun, lock } from './rollout/begin.js'

/** Removes an instance from its nodes, with its services and all of its data. */
export const destroy = task({
  on: 'once',
  connection: 'alone',
  needs: 'instance',
  group: 'Data',
  meantBy: ['remove', 'delete', 'uninstall'],
  help: 'remove the instance from its nodes, with all of its data\nIts services, processes and code go as well.',
  destructive: true,
  changes:
    'the instance goes: its code, processes, site, users, services and their data; what is in S3 or in a database at an address stays',
  examples: ['kraft destroy:stage'],
  async run({ target, session, line }) {
    const instance = requireInstance(target)
    requireAnswer(session, 'destroy')
    const where = target.nodes.map(({ name }) => name).join(', ')
    const used = await usedServices(instance)
    const outside = used.filter(({ settings }) => settings.url !== undefined && settings.node === undefined)
    const services = used.filter((each) => !outside.includes(each)).map(({ service }) => service.name)
    for (const { service } of outside) line.output(`${service.name} is at an address of its own: what it holds stays there`)
    const { static_bucket: bucket } = instance.settings
    if (bucket !== undefined) {
      const where = `${bucket.bucket ?? 'its bucket'}, ${s3Folder(instance, bucket)}/`
      line.output(`Static files stay in S3 until you remove them there: ${where}`)
    }
    const lockable: Node[] = []
    for (const node of target.nodes) {
      await requireOwner(node, instance, 'Nothing was removed. Call kraft in that project')
      // Where nothing was ever prepared nobody deploys, and there is no place for a lock.
      if ((await node.read(sh`if [ -d /web ]; then echo prepared; fi`.text)) !== '') lockable.push(node)
    }
    await confirmLoss(
      session,
      `Remove ${instance.name} from ${where}, with all data (${services.join(', ') || 'no services'})?`,
      instance.settings.live ? instance.project.name : undefined,
    )
    const work: Begun = { application: { instance }, nodes: lockable, session, locks: new Map(), states: new Map() }
    try {
      await line.list([
        lock(work),
        ...target.nodes.map((node) => ({
          title: `Remove ${instance.name} from ${node.name}`,
          run: async (own: Line) => void (await node.apply('Remove', await destroyInstance(instance), own)),
        })),
      ])
    } finally {
      for (const held of work.locks.values()) await held.release()
    }
    return new Result(`${session.flags.dryRun ? 'Would remove' : 'Removed'} ${instance.name} from ${where}`, {
      name: instance.name,
      nodes: target.nodes.map(({ name }) => name),
    })
  },
})
