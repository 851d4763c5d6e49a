import { formatPlace } from '../../engine/errors/failure.js'
import type { Line } from '../../engine/report/report.js'
import type { Target } from '../../engine/task/context.js'
import { Result } from '../../engine/task/result.js'
import type { Session } from '../../engine/task/session.js'
import { writeNodes } from '../../project/nodes-in-yaml.js'
import { settingPlace } from '../../project/setting-place.js'
import { moveService, serviceWay } from './service.js'

/** Moves a service to a node that has it for the others, writes that node into kraftwerk.yaml, and says what was done. */
export async function serviceTo(
  target: Target,
  given: { readonly service: string; readonly to: string; readonly pause: number },
  session: Session,
  line: Line,
): Promise<Result> {
  const way = await serviceWay(target, given, session)
  if (way === undefined) return new Result(`${given.service} of ${target.word} is on ${given.to} already`, { moved: false })
  const { instance, web, from, to, names, word, pause } = way
  const all = names.join(' and ')
  const data = { services: names, to: to.name }
  if (session.flags.dryRun) {
    const steps = [
      `${to.name} is bootstrapped, serves ${all} for ${web.name}, and lets nobody else in`,
      `first sync of ${all}, while ${instance.name} serves`,
      `requests to ${web.name} wait, ${pause} s at most, and nothing writes any more: web, processes and cron of ${instance.name} end`,
      'last sync, with counts and sums compared',
      `switch: ${instance.name} starts with ${all} on ${to.name}, answers its health check and who waits. Until here whatever fails, also kraft, leaves all as it was`,
      `kraftwerk.yaml gives ${to.name} the role db`,
    ]
    const text = steps.map((step, index) => `${index + 1}. ${step}`).join('\n')
    return new Result(`Would move ${all} of ${instance.name} to ${to.name}:\n${text}`, data)
  }
  await moveService(way, session, line)
  const place = formatPlace(settingPlace(instance, ['nodes']))
  const written = await writeNodes(instance.project, word, { db: to.name })
  return new Result(
    [
      `${all} of ${instance.name} ${names.length === 1 ? 'is' : 'are'} on ${to.name} now`,
      written
        ? `${place} gives ${to.name} the role db now: commit it, so that nobody deploys without`
        : `Give ${to.name} the role db at ${place}, before anybody deploys`,
      `What was there before keeps its data as they were. Back, with all that is new: kraft move:${word} --service ${given.service} --to ${from}`,
    ].join('\n'),
    { ...data, written },
  )
}
