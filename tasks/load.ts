import { KraftError } from '../engine/errors/failure.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { type Instance, requireInstance } from '../project/instance.js'
import type { Manifest } from '../project/manifest.js'
import { kindNames } from '../recipes/kinds.js'
import { releaseId } from '../recipes/release.js'
import { bundleSource } from './bundle-source.js'
import { confirmLoss, requireAnswer } from './confirm.js'
import { ownRelease } from './current-release.js'
import { dataServices } from './data-services.js'
import { firstWebNode } from './first-node.js'
import { dropFormer, undoLoad } from './former-data.js'
import { keptSource, sentSource } from './load-source.js'
import { putInPlace } from './put-in-place.js'

const bundleFile = 'a bundle that dump wrote; - reads stdin'

/** Puts the data of a bundle in the place of the live data, which is kept until the next load. */
export const load = task({
  on: 'once',
  connection: 'new',
  needs: 'instance',
  group: 'Data',
  meantBy: ['import'],
  help: 'put the data of a bundle in the place of the live data\nThe live data are kept for --undo.',
  destructive: true,
  changes:
    'the data; the former ones are kept until the next load or --drop-old; web and processes start anew, as reload does, unless they are stopped',
  examples: [
    'kraft load:stage before.bundle',
    'kraft dump:live - | kraft load:stage - --yes',
    'kraft load:stage --on-node',
    'kraft load:stage --undo',
    'kraft load:stage --drop-old',
  ],
  options: {
    file: option({ type: 'string', positional: true, help: bundleFile }),
    onNode: option({
      type: 'boolean',
      help: 'take a bundle that dump --on-node has left: that one (FILE is its name) or the newest',
    }),
    only: option({
      type: 'string',
      many: true,
      choicesFrom: () => kindNames('services'),
      help: 'a service; the others are left as they are',
    }),
    foreign: option({ type: 'boolean', help: 'take the data of another project' }),
    identity: option({ type: 'string', help: 'a file with the age key that opens an encrypted bundle' }),
    undo: option({ type: 'boolean', help: 'swap the data back that the last load put aside; once more takes that back' }),
    dropOld: option({ type: 'boolean', help: 'remove what the last load put aside' }),
  },
  async run(context) {
    const { target, session, options } = context
    const { file } = options
    const [what, ...more] = [
      file === undefined && !options.onNode ? [] : ['a bundle'],
      options.undo ? ['--undo'] : [],
      options.dropOld ? ['--drop-old'] : [],
    ].flat()
    if (what === undefined || more.length > 0) {
      throw new KraftError({
        kind: 'usage',
        message: what === undefined ? `load needs FILE: ${bundleFile}` : `load takes one of ${[what, ...more].join(' and ')}`,
        next: 'See: kraft help load',
      })
    }
    if (options.undo) return undoLoad(context)
    if (options.dropOld) return dropFormer(context)
    if (options.onNode && options.identity !== undefined) {
      throw new KraftError({
        kind: 'usage',
        message: '--identity has no meaning with --on-node: what dump --on-node leaves on a node is not encrypted',
        next: 'Leave one of the two out',
      })
    }
    const instance = requireInstance(target)
    const node = firstWebNode(target)
    // What is piped in is read only once.
    if (file === '-') requireAnswer(session, 'load')
    const source = options.onNode
      ? await keptSource(node, instance, file)
      : sentSource(node, instance, await bundleSource(file ?? '-', session, options))
    const { manifest } = source
    requireOwn(manifest, instance, { ...options, file: source.name })
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
    await ownRelease(node, instance)
    const data = `${services.map(({ service }) => service.name).join(' and ')} of ${instance.name} on ${node.name}`
    await confirmLoss(
      session,
      `Put the data of ${manifest.instance} (${manifest.time}) in the place of ${data}?`,
      instance.settings.live ? instance.project.name : undefined,
    )
    const id = `load-${releaseId(new Date())}`
    if (session.flags.dryRun) await source.prove()
    await putInPlace(context, {
      reload: async () => context.call(await session.task('reload')),
      manifest: source.comes,
      services,
      id,
      isProven: source.isProven,
      arrive: (own) => source.arrive(id, own),
    })
    if (session.flags.dryRun) {
      return new Result(`Would put the data of ${manifest.instance} (${manifest.time}) in the place of ${data}`, {
        file: file ?? source.name,
      })
    }
    const back = `What was there is kept: kraft load:${target.word} --undo, or --drop-old`
    return new Result(
      `${data} ${services.length === 1 ? 'is' : 'are'} as of ${manifest.time}\n${back}`,
      { manifest },
      `kraft open:${target.word}`,
    )
  },
})

// A slip of the hand puts the data of one site into another.
function requireOwn(manifest: Manifest, { project }: Instance, { foreign, file }: { foreign: boolean; file: string }): void {
  if (foreign || manifest.project === project.name) return
  throw new KraftError({
    kind: 'usage',
    message: `${file} holds the data of ${manifest.project}, and this is ${project.name}`,
    next: 'If you mean it, add --foreign',
  })
}
