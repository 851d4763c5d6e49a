import { KraftError } from '../engine/errors/failure.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { Meter } from '../engine/transfer/meter.js'
import { sendStream } from '../engine/transfer/send.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { bundleSize, type Manifest } from '../project/manifest.js'
import { discard, loadBeside, receiveBundle, roomFor, swapIn } from '../recipes/bundle.js'
import { kindNames } from '../recipes/kinds.js'
import { readyToLoad } from '../recipes/ready-to-load.js'
import { releaseId } from '../recipes/release.js'
import { bundleSource } from './bundle-source.js'
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
  examples: ['kraft load:stage before.bundle', 'kraft dump:live - | kraft load:stage - --yes'],
  options: {
    file: option({ type: 'string', positional: true, required: true, help: 'a bundle that dump wrote; - reads stdin' }),
    only: option({
      type: 'string',
      many: true,
      choicesFrom: () => kindNames('services'),
      help: 'a service; the others are left as they are',
    }),
    foreign: option({ type: 'boolean', help: 'take the data of another project' }),
  },
  async run({ target, session, options, line, call }) {
    const instance = requireInstance(target)
    const node = firstWebNode(target)
    // What is piped in is read only once.
    if (options.file === '-') requireAnswer(session, 'load')
    const source = await bundleSource(options.file, session)
    const { manifest } = source
    requireOwn(manifest, instance, options)
    const there = manifest.members.map(({ service }) => service)
    const services = await dataServices(instance, options.only.length > 0 ? options.only : there)
    const missing = services.find(({ service }) => !there.includes(service.name))
    if (missing !== undefined) {
      throw new KraftError({
        kind: 'usage',
        message: `${source.name} holds no ${missing.service.name}`,
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
    const check = apply('Check the node', [...roomFor(instance, manifest), ...readyToLoad(instance, services)])
    if (session.flags.dryRun) {
      await source.prove()
      await line.list([
        check,
        apply('Load beside the live data', loadBeside(instance, id, services, manifest)),
        apply('Swap', swapIn(instance, services)),
      ])
      await call(await session.task('reload'))
      return new Result(`Would put the data of ${manifest.instance} (${manifest.time}) in the place of ${what}`, {
        file: options.file,
      })
    }
    const lock = await holdLock(session, node, instance.name, line)
    try {
      await line.list([
        check,
        {
          title: 'Send the bundle',
          run: async (own) => {
            const meter = new Meter(own, bundleSize(manifest.members))
            const command = node.asRoot(receiveBundle(instance, id).text)
            await sendStream(node.connection, source.open, command, meter.count)
            await source.prove()
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

// A slip of the hand puts the data of one site into another.
function requireOwn(manifest: Manifest, { project }: Instance, { foreign, file }: { foreign: boolean; file: string }): void {
  if (foreign || manifest.project === project.name) return
  throw new KraftError({
    kind: 'usage',
    message: `${file === '-' ? 'What was piped in' : file} holds the data of ${manifest.project}, and this is ${project.name}`,
    next: 'If you mean it, add --foreign',
  })
}
