import { formatPlace, KraftError } from '../engine/errors/failure.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { writeNodes } from '../project/nodes-in-yaml.js'
import { settingPlace } from '../project/setting-place.js'
import { kindNames } from '../recipes/kinds.js'
import { dnsAdvice } from './moving/domains.js'
import { planOf } from './moving/plan.js'
import { removeOld } from './moving/remove-old.js'
import { serviceTo } from './moving/service-to.js'
import { wayTo } from './moving/way.js'
import { lookAtNode, moveAll } from './moving/whole.js'

/** Moves an environment to another node. The old one keeps all it has, and passes on what still comes to it. */
export const move = task({
  on: 'once',
  connection: 'new',
  needs: 'instance',
  group: 'Nodes',
  help: 'move an environment to another node\nThe old one then passes requests on to it.',
  destructive: true,
  changes:
    'the new node gets the release, the data and the site; on the old one nothing runs any more, and all of it stays until --remove-old',
  examples: [
    'kraft move:live --to two --dry-run',
    'kraft move:live --to two',
    'kraft move:live --service postgres --to db1',
    'kraft move:live --remove-old',
  ],
  options: {
    to: option({ type: 'string', help: 'the node that gets it' }),
    pause: option({ type: 'number', default: 60, help: 'seconds for which requests may wait at the switch' }),
    service: option({
      type: 'string',
      choicesFrom: () => kindNames('services'),
      help: 'this service alone; the node then has the role db',
    }),
    removeOld: option({ type: 'boolean', help: 'remove what it has left on the node that it moved from' }),
  },
  async run({ target, session, line, options }) {
    if ((options.to === undefined) !== options.removeOld) {
      throw new KraftError({
        kind: 'usage',
        message: options.removeOld ? 'move takes one of --to and --remove-old' : 'move needs --to: the node that gets it',
        next: `For example: kraft move:${target.word} --to two`,
      })
    }
    if (options.to === undefined) return removeOld(target, session, line)
    if (options.service !== undefined) {
      return serviceTo(target, { service: options.service, to: options.to, pause: options.pause }, session, line)
    }
    const way = await wayTo(target, options.to, options.pause, session)
    if (way === undefined) return new Result(`${target.word} is on ${options.to} already`, { moved: false })
    const { instance, from, to, word } = way
    const data = { from: from.name, to: to.name }
    if (session.flags.dryRun) {
      const release = await lookAtNode(way)
      return new Result(await planOf(way, release), { ...data, release: release ?? null })
    }
    await moveAll(way, session, line)
    const { project } = instance
    const place = formatPlace(settingPlace(instance, ['nodes']))
    const written = await writeNodes(project, word, { from: from.name, to: to.name })
    return new Result(
      [
        `${instance.name} is on ${to.name} now; ${from.name} passes on what still comes to it`,
        written
          ? `${place} names ${to.name} now: commit it, so that nobody deploys to ${from.name}`
          : `Write ${to.name} in the place of ${from.name} at ${place}`,
        ...(await dnsAdvice(instance, from.record.address, to.address)),
        `${from.name} keeps the data as they were. Back, with all that is new: kraft move:${word} --to ${from.name}`,
        `Once DNS has changed everywhere: kraft move:${word} --remove-old`,
      ].join('\n'),
      { ...data, written },
    )
  },
})
