import type { Line } from '../engine/report/report.js'
import type { Step } from '../engine/step/step.js'
import type { TargetContext } from '../engine/task/context.js'
import { requireInstance } from '../project/instance.js'
import type { Manifest } from '../project/manifest.js'
import { readSanitizers } from '../project/sanitize.js'
import { noteInLog } from '../recipes/audit.js'
import { type DataService, discard } from '../recipes/bundle.js'
import { clearRetired, retireFormer, swapIn, undoInterrupted } from '../recipes/exchange.js'
import { loadBeside } from '../recipes/load-beside.js'
import { readyToLoad } from '../recipes/ready-to-load.js'
import { roomFor } from '../recipes/room.js'
import { sanitize } from '../recipes/sanitize.js'
import { connectAnew } from './connect-anew.js'
import { dataServices } from './data-services.js'
import { firstWebNode } from './first-node.js'
import { holdLock } from './hold-lock.js'
import { whoAmI } from './rollout/switch.js'

/** Data that are to take the place of an instance's live data. */
export interface Incoming {
  readonly manifest: Manifest
  readonly services: readonly DataService[]
  /** The folder on the node that the bundle is in, or will be. */
  readonly id: string
  /** Whoever calls has the instance's lock, and gives it back before the reload. */
  readonly locked?: boolean
  /** Brings it there. Left out where it is there already, and stays. */
  readonly arrive?: (line: Line) => Promise<void>
  /** All of it was proven before it is sent: what has come of it is loaded beside the live data while the rest is on its way. */
  readonly isProven?: boolean
  /** Runs the task that has the application connect anew. */
  reload(): Promise<unknown>
}

/** Loads data beside the live data, proves them, swaps, and has the application connect anew. A dry run says so. */
export async function putInPlace(
  { target, session, line }: Pick<TargetContext<unknown>, 'target' | 'session' | 'line'>,
  { manifest, services, id, arrive, reload, isProven = false, locked = false }: Incoming,
): Promise<void> {
  const instance = requireInstance(target)
  const node = firstWebNode(target)
  const apply = (title: string, steps: readonly Step[]) => ({
    title,
    run: async (own: Line) => void (await node.apply(title, steps, own)),
  })
  const all = await dataServices(instance, [])
  // What an environment has of its own needs none of it.
  const sanitizers = manifest.environment === (instance.environment ?? null) ? [] : readSanitizers(instance)
  const about = `the data of ${manifest.instance} of ${manifest.time}`
  const goes = arrive !== undefined
  const { begin, wait } = loadBeside(instance, services, { id, manifest, arrives: isProven, goes })
  const tidy = [...discard(instance, goes ? id : undefined, services), ...clearRetired(instance, all)]
  const work = [
    apply('Check the node', [
      ...undoInterrupted(instance),
      ...(arrive === undefined ? [] : roomFor(instance, manifest)),
      ...readyToLoad(instance, services),
      ...(isProven ? begin : []),
    ]),
    ...(arrive === undefined || session.flags.dryRun ? [] : [{ title: 'Send the bundle', run: arrive }]),
    apply('Load beside the live data', [
      ...(isProven ? [] : begin),
      ...wait,
      ...sanitize(instance, services, sanitizers, all),
      ...retireFormer(instance, all),
    ]),
    apply('Swap', [
      ...swapIn(instance, services, about),
      ...noteInLog(instance, { who: whoAmI(), what: 'load', release: '-', generation: '-', result: 'ok' }),
      ...(session.flags.dryRun ? [] : tidy),
    ]),
  ]
  if (session.flags.dryRun) await line.list(work)
  else {
    const lock = locked ? undefined : await holdLock(session, node, instance.name, line)
    try {
      await line.list(work)
    } catch (error) {
      // What failed may keep this from being done as well, and says more.
      await line.list([apply('Tidy up', tidy)]).catch(() => undefined)
      throw error
    } finally {
      await lock?.release()
    }
  }
  await connectAnew(node, instance, reload)
}
