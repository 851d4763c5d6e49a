import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { Meter } from '../engine/transfer/meter.js'
import { sendStream } from '../engine/transfer/send.js'
import { proveBundle } from '../project/bundle.js'
import { requireInstance } from '../project/instance.js'
import { discard, loadBeside, receiveBundle, swapIn } from '../recipes/bundle.js'
import { kindNames } from '../recipes/kinds.js'
import { releaseId } from '../recipes/release.js'
import { confirmLoss, requireAnswer } from './confirm.js'
import { currentRelease } from './current-release.js'
import { dataServices } from './dump.js'
import { firstWebNode } from './first-node.js'
import { holdLock } from './hold-lock.js'

/** Puts the data of a bundle in the place of the live data, which is kept until the next load. */
export const load = task({
  on: 'once',
  connection: 'new',
  needs: 'instance',
  group: 'Data',
  help: 'put the data of a bundle in the place of the live data',
  destructive: true,
  examples: ['kraft load:stage before.bundle'],
  options: {
    file: option({ type: 'string', positional: true, required: true, help: 'a bundle that dump wrote' }),
    only: option({
      type: 'string',
      many: true,
      choicesFrom: () => kindNames('services'),
      help: 'a service; the others are left as they are',
    }),
  },
  async run({ target, session, options, line, call }) {
    const instance = requireInstance(target)
    const node = firstWebNode(target)
    const file = resolve(session.folder, options.file)
    const manifest = await proveBundle(file)
    const there = manifest.members.map(({ service }) => service)
    const services = await dataServices(instance, options.only.length > 0 ? options.only : there)
    const missing = services.find(({ service }) => !there.includes(service.name))
    if (missing !== undefined) {
      throw new KraftError({
        kind: 'usage',
        message: `${options.file} holds no ${missing.service.name}`,
        next: `It holds ${there.join(', ')}`,
      })
    }
    requireAnswer(session, 'load')
    await currentRelease(node, instance)
    const what = `${services.map(({ service }) => service.name).join(' and ')} of ${instance.name} on ${node.name}`
    await confirmLoss(
      session,
      `Put the data of ${manifest.instance} (${manifest.time}) in the place of ${what}?`,
      instance.settings.live ? instance.project.name : undefined,
    )
    const id = `load-${releaseId(new Date())}`
    const apply = (title: string, steps: Parameters<typeof node.apply>[1]) => ({
      title,
      run: async (own: typeof line) => void (await node.apply(title, steps, own)),
    })
    if (session.flags.dryRun) {
      await line.list([
        apply('Load beside the live data', loadBeside(instance, id, services, manifest)),
        apply('Swap', swapIn(instance, services)),
      ])
      await call(await session.task('reload'))
      return new Result(`Would put the data of ${manifest.instance} (${manifest.time}) in the place of ${what}`, { file })
    }
    const lock = await holdLock(session, node, instance.name, line)
    try {
      await line.list([
        {
          title: 'Send the bundle',
          run: async (own) => {
            const meter = new Meter(own, (await stat(file)).size)
            const command = node.asRoot(receiveBundle(instance, id).text)
            await sendStream(node.connection, () => createReadStream(file), command, meter.count)
          },
        },
        apply('Load beside the live data', loadBeside(instance, id, services, manifest)),
        apply('Swap', swapIn(instance, services)),
      ])
    } finally {
      await line.list([apply('Tidy up', discard(instance, id, services))])
      await lock.release()
    }
    // What is connected to the former data connects anew.
    await call(await session.task('reload'))
    return new Result(`${what} ${services.length === 1 ? 'is' : 'are'} as of ${manifest.time}`, { manifest })
  },
})
