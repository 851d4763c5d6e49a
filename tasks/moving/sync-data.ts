import { KraftError } from '../../engine/errors/failure.js'
import type { Line } from '../../engine/report/report.js'
import { runTask } from '../../engine/task/run.js'
import type { Session } from '../../engine/task/session.js'
import { passCommand } from '../../engine/transfer/pass.js'
import { quietly } from '../../project/other-nodes.js'
import {
  describeFolders,
  packClosed,
  packFolders,
  packKept,
  unpackClosed,
  unpackFolders,
  unpackKept,
} from '../../recipes/carry.js'
import { bringData } from '../bring-data.js'
import { ownData } from './own-data.js'
import { newNode, newTarget, type Way } from './way.js'

/** Brings along what the node keeps of the instance: variables that were set, the secret key, certificates, counts. */
export async function carryKept(way: Way, session: Session): Promise<void> {
  const { from, instance, moved } = way
  await passCommand(from, packKept(instance).text, newNode(way, session), unpackKept(moved).text)
}

/**
 * Puts the data of the instance in the place of those on the new node, with every proof of dump and load, then what is in its folders;
 * and has the application there start with them, which proves that it can.
 */
export async function syncData(way: Way, session: Session, line: Line, last: boolean): Promise<void> {
  const { from, instance, moved } = way
  const to = newNode(way, session)
  const target = newTarget(way, session, quietly(moved))
  const reload = async () => runTask({ task: await session.task('reload'), target, options: {}, rest: [], session }, line)
  await line.list([{ title: 'Folders', run: () => passCommand(from, packFolders(instance).text, to, unpackFolders(moved).text) }])
  if (last) {
    await carryKept(way, session)
    await passCommand(from, packClosed(instance).text, to, unpackClosed(moved).text)
    await compareFolders(way, session)
  }
  const services = await ownData(instance)
  if (services.length === 0) {
    await reload()
    return
  }
  await bringData({ node: from, instance, services }, { target, services: await ownData(moved), reload }, session, line)
}

async function compareFolders(way: Way, session: Session): Promise<void> {
  const to = newNode(way, session)
  const [here, there] = await Promise.all([
    way.from.read(describeFolders(way.instance).text),
    to.read(describeFolders(way.moved).text),
  ])
  if (here === there) return
  throw new KraftError({
    kind: 'task',
    node: to.name,
    message: `shared/ and home/ of ${way.moved.name} are not the same on both nodes`,
    output: `${way.from.name}: ${here.trim()}\n${to.name}: ${there.trim()}`,
    next: 'Something writes there although nothing of the instance runs. Find it, then move it again',
  })
}
