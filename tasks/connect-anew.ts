import type { Node } from '../engine/node/node.js'
import type { Place } from '../project/service.js'
import { sayStopped } from '../recipes/stopped.js'

/** Has the application connect to data that have changed places: `reload` runs that task. What is stopped stays so, and connects when it starts. */
export async function connectAnew(node: Node, place: Place, reload: () => Promise<unknown>): Promise<void> {
  if ((await node.read(sayStopped(place).text)).trim() === '') await reload()
}
