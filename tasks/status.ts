import { eachNode } from '../engine/task/each-node.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { releaseNodes } from '../recipes/followers.js'
import { currentReceipt, type InstanceState } from '../recipes/state.js'
import { stateOn } from './releases.js'

/** Says what each node serves, and what was left in the middle. */
export const status = task({
  on: 'once',
  independent: true,
  needs: 'instance',
  group: 'Deploy',
  help: 'say what each node serves, who is changing it, and what was interrupted',
  examples: ['kraft status:live', 'kraft status:live --json'],
  async run({ target, session, line }) {
    const instance = requireInstance(target)
    const nodes = releaseNodes(instance, target.nodes)
    const read = await eachNode(session, nodes, line, (node) => stateOn(node, instance))
    const rows = read.map(({ node, value }) => `${node.name}: ${describe(value)}`)
    const served = new Set(read.map(({ value }) => value.current?.id))
    const mixed =
      served.size > 1 ? ['The nodes serve different releases: the next deploy, rollback or reload makes them one'] : []
    const data = read.map(({ node, value }) => ({
      node: node.name,
      release: value.current?.id ?? null,
      generation: value.current?.generation ?? null,
      promoted_from: currentReceipt(value)?.promoted_from ?? null,
      interrupted: value.rollout ?? null,
      lock: value.holder ?? null,
    }))
    return new Result([...rows, ...mixed].join('\n'), { nodes: data, mixed: served.size > 1 })
  },
})

function describe(state: InstanceState): string {
  const { current, rollout, holder } = state
  const from = currentReceipt(state)?.promoted_from
  const switched = rollout !== undefined && rollout.id === current?.id && rollout.generation === current.generation
  return [
    current === undefined ? 'no release' : `release ${current.id}`,
    ...(from === undefined ? [] : [`promoted from ${from}`]),
    ...(current === undefined || current.generation === current.id ? [] : [`started anew ${current.generation}`]),
    ...(rollout === undefined
      ? []
      : [switched ? 'has switched, others of its deploy may not have' : `was to switch to ${rollout.id}, and was interrupted`]),
    ...(holder === undefined ? [] : [`locked by ${holder}`]),
  ].join(', ')
}
