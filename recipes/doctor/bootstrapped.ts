import type { Node } from '../../engine/node/node.js'
import { unmetSteps } from '../../engine/step/check.js'
import type { Target } from '../../engine/task/context.js'
import { isInstance } from '../../project/instance.js'
import { bootstrap } from '../bootstrap.js'
import { servingNode } from '../elsewhere.js'
import type { Check, Seen } from './check.js'
import { doubtful, findingOf, wrong } from './finding.js'

/** Whether each node is prepared, and as this kraft prepares it: the steps of bootstrap, asked and not run. */
export const bootstrapped: Check = {
  name: 'bootstrap',
  title: 'Bootstrap of the nodes',
  async look({ nodes, targets, enter }) {
    const seen = await Promise.all(nodes.map(async (node) => ((await enter(node)) === undefined ? lookAt(node, targets) : [])))
    return seen.flat()
  },
}

async function lookAt(node: Node, targets: readonly Target[]): Promise<readonly Seen[]> {
  const about = `Bootstrap of ${node.name}`
  try {
    const steps = bootstrap({ sshPort: await portOf(node), ...(isServed(node, targets) ? { services: [] } : {}) }).flatMap(
      (phase) => phase.steps,
    )
    const unmet = await unmetSteps(node.connection, 'Bootstrap', steps)
    if (unmet.length === 0) return [{ about, said: 'done, and up to date', findings: [] }]
    const again = `kraft bootstrap:${node.name} (--dry-run shows what it would change)`
    const titles = unmet.map(({ title }) => title)
    const prepared = titles.length < steps.length / 2
    const finding = prepared
      ? doubtful(`${titles.length} of ${steps.length} things are not as bootstrap makes them: ${shortened(titles)}`, again)
      : wrong('It is not prepared yet', again)
    return [{ about, said: '', findings: [finding] }]
  } catch (error) {
    return [{ about, said: '', findings: [findingOf(error)] }]
  }
}

// As the node sees it, which may be behind another one.
async function portOf(node: Node): Promise<number> {
  const { stdout } = await node.connection.capture('echo "$SSH_CONNECTION"')
  return Number(stdout.trim().split(' ')[3] ?? 22)
}

// Data that is on another node needs no service here.
function isServed({ name }: Node, targets: readonly Target[]): boolean {
  return targets.some(({ nodes, project }) => {
    const serving = project !== undefined && isInstance(project) ? servingNode(project) : undefined
    return nodes.some((each) => each.name === name) && serving !== undefined && serving.name !== name
  })
}

function shortened(titles: readonly string[]): string {
  const more = titles.length - 3
  return more > 0 ? `${titles.slice(0, 3).join(', ')} and ${more} more` : titles.join(', ')
}
