import { KraftError } from '../engine/errors/failure.js'
import type { Target } from '../engine/task/context.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { runTask } from '../engine/task/run.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { kindNames } from '../recipes/kinds.js'
import { bringData } from './bring-data.js'
import { confirmLoss, requireAnswer } from './confirm.js'
import { ownRelease } from './current-release.js'
import { dataServices } from './data-services.js'
import { firstWebNode } from './first-node.js'
import { freezeOf } from './freeze-of.js'

/** Puts the data of one environment in the place of another's, by way of this machine, with every proof of dump and load. */
export const sync = task({
  on: 'once',
  gathers: true,
  connection: 'new',
  needs: 'instance',
  group: 'Data',
  help: "put the data of one environment in the place of another's\nDump and load in one go, and no file here.",
  destructive: true,
  changes: 'nothing where the data come from (--freeze holds all that writes there meanwhile); where they go to, as load does',
  examples: ['kraft sync:live stage', 'kraft sync:live stage --only postgres --yes'],
  options: {
    to: option({ type: 'string', positional: true, target: true, required: true, help: 'the environment that gets the data' }),
    only: option({
      type: 'string',
      many: true,
      choicesFrom: () => kindNames('services'),
      help: 'a service; the others are left as they are',
    }),
    freeze: option({ type: 'boolean', help: 'hold all that writes meanwhile, so that services agree; visitors wait that long' }),
  },
  async run(context) {
    const { asked, session, line, options } = context
    const [source, target] = pairOf(asked.targets, await session.resolve(options.to, 'instance', false))
    const [from, to] = [requireInstance(source), requireInstance(target)]
    const [node, getting] = [firstWebNode(source), firstWebNode(target)]
    const services = await dataServices(from, options.only)
    const taken = await dataServices(
      to,
      services.map(({ service }) => service.name),
    )
    const frozen = freezeOf(from, options.freeze)
    requireAnswer(session, 'sync')
    await ownRelease(getting, to)
    const names = services.map(({ service }) => service.name).join(' and ')
    await confirmLoss(
      session,
      `Put ${names} of ${from.name} on ${node.name} in the place of that of ${to.name} on ${getting.name}?`,
      to.settings.live ? to.project.name : undefined,
    )
    const done = { from: from.name, to: to.name, services: services.map(({ service }) => service.name) }
    const reload = async () => runTask({ task: await session.task('reload'), target, options: {}, rest: [], session }, line)
    const manifest = await bringData(
      { node, instance: from, services, frozen },
      { target, services: taken, reload },
      session,
      line,
    )
    if (manifest === undefined) return new Result(`Would put ${names} of ${from.name} in the place of that of ${to.name}`, done)
    const back = `What was there is kept: kraft load:${target.word} --undo, or --drop-old`
    return new Result(
      `${names} of ${to.name} ${services.length === 1 ? 'is' : 'are'} as ${from.name}'s of ${manifest.time}\n${back}`,
      {
        ...done,
        manifest,
      },
      `kraft open:${target.word}`,
    )
  },
})

function pairOf(from: readonly Target[], to: readonly Target[]): readonly [Target, Target] {
  const [source, target] = [from[0], to[0]]
  if (source === undefined || target === undefined || from.length + to.length > 2) {
    throw refusal('sync brings the data of one environment to one other')
  }
  if (requireInstance(source).owner === requireInstance(target).owner) {
    throw refusal(`${source.word} and ${target.word} are the same environment`)
  }
  return [source, target]
}

function refusal(message: string): KraftError {
  return new KraftError({ kind: 'usage', message, next: 'Name two environments: kraft sync:live stage' })
}
