import { KraftError } from '../engine/errors/failure.js'
import { lines, sh } from '../engine/shell/sh.js'
import type { TargetContext } from '../engine/task/context.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { type Manifest, manifestOf } from '../project/manifest.js'
import { type DataService, describeMembers, readMembers } from '../recipes/bundle.js'
import { listSnapshots, snapshotFor, snapshotOf } from '../recipes/snapshot.js'
import type { InstanceState } from '../recipes/state.js'
import { confirmLoss } from './confirm.js'
import { dataServices } from './data-services.js'
import { firstWebNode } from './first-node.js'
import { putInPlace } from './put-in-place.js'

type Context = Pick<TargetContext<unknown>, 'target' | 'session' | 'line' | 'call'>

/** Puts the data back that a release left. */
export type GoBack = () => Promise<unknown>

/**
 * Finds the snapshot that has the data which release `to` left, says what was written since and would be lost, and asks. What it
 * returns puts it in place; nothing is changed before. Throws `task` where there is none.
 */
export async function formerSnapshot(context: Context, to: string, state: InstanceState | undefined): Promise<GoBack> {
  const { target, session, line } = context
  const instance = requireInstance(target)
  const node = firstWebNode(target)
  const next = snapshotFor(await node.read(listSnapshots(instance).text), to, state?.releases ?? [])
  if (next === undefined) {
    throw new KraftError({
      kind: 'task',
      node: node.name,
      message: `There is no snapshot of the data that release ${to} left`,
      next: 'Nothing was changed. Deploys take one with snapshot: true in kraftwerk.yaml; to take back the code alone leave --with-data out',
    })
  }
  const id = snapshotOf(next)
  const services = await dataServices(instance, [])
  const members = readMembers(await node.read(describeMembers(instance, id, services).text))
  const since = lost(members, readMembers(await node.read(countLive(services, instance).text)))
  const time = timeOf(next)
  line.output(
    [`The data go back to ${time}. Since then:`, ...(since.length === 0 ? ['as many rows and files as now'] : since)].join('\n'),
  )
  await confirmLoss(
    session,
    `Put the data of ${instance.name} on ${node.name} back to ${time}? What was written since is put aside`,
    instance.settings.live ? instance.project.name : undefined,
  )
  const manifest = manifestOf(instance, { kraft: session.version, release: to, time, members })
  return () => putInPlace(context, { manifest, services, id, reload: async () => context.call(await session.task('reload')) })
}

function countLive(services: readonly DataService[], instance: Instance) {
  return lines(
    ...services.map(
      ({ service, data }) => sh`printf 'member %s %s 0 -\n' ${data.member} ${service.name}; sh -ec ${data.count(instance).text}`,
    ),
  )
}

/** `rows.entries: 3 then, 5 now`, for what is not the same. */
function lost(then: Manifest['members'], now: Manifest['members']): readonly string[] {
  return now.flatMap(({ service, counts }) => {
    const before = then.find((each) => each.service === service)?.counts ?? {}
    const names = [...new Set([...Object.keys(before), ...Object.keys(counts)])]
    return names
      .filter((name) => before[name] !== counts[name])
      .map((name) => `  ${service}: ${name} ${before[name] ?? 'none'} then, ${counts[name] ?? 'none'} now`)
  })
}

function timeOf(id: string): string {
  return id.replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6Z')
}
