import type { Node } from '../engine/node/node.js'
import { lockNode, type NodeLock } from '../engine/node/node-lock.js'
import type { Line } from '../engine/report/report.js'
import { type Sh, sh } from '../engine/shell/sh.js'
import type { Session } from '../engine/task/session.js'
import { whoAmI } from './rollout/switch.js'

/**
 * Takes an instance's lock on a node, given back when kraft ends at the latest. Where somebody else has it, `--wait` says for how
 * long to wait for it, and the line says for whom. `look` reads what only the lock's holder can rely on.
 */
export async function holdLock(session: Session, node: Node, name: string, line: Line, look: Sh = sh`:`): Promise<NodeLock> {
  const lock = await lockNode(node, name, whoAmI(), {
    seconds: session.spread?.wait ?? 0,
    tell: (holder) => line.output(`${node.name}: waiting for ${holder}`),
    look,
    given: {
      check: sh`test -d /web`,
      message: 'there is no /web on this node, so that nothing can be deployed there yet',
      next: `Prepare the node first:  kraft bootstrap:${node.name}`,
    },
  })
  // The farewell of the connection is right behind it, and nobody waits for the answer.
  session.onEnd(async () => void lock.release())
  return lock
}
