import { hostname, userInfo } from 'node:os'
import type { Node } from '../engine/node/node.js'
import { lockNode, type NodeLock } from '../engine/node/node-lock.js'
import type { Line } from '../engine/report/report.js'
import type { Session } from '../engine/task/session.js'

/**
 * Takes an instance's lock on a node, given back when kraft ends at the latest. Where somebody else has it, `--wait` says for how
 * long to wait for it, and the line says for whom.
 */
export async function holdLock(session: Session, node: Node, name: string, line: Line): Promise<NodeLock> {
  const lock = await lockNode(node, name, `${userInfo().username}@${hostname()}`, {
    seconds: session.spread?.wait ?? 0,
    tell: (holder) => line.output(`${node.name}: waiting for ${holder}`),
  })
  session.onEnd(() => lock.release())
  return lock
}
