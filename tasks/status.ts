import { lines } from '../engine/shell/sh.js'
import { eachNode } from '../engine/task/each-node.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import {
  type CertificateEnd,
  daysUntil,
  describeCertificateEnd,
  parseCertificateEnd,
  readCertificateEnd,
} from '../recipes/certificate-end.js'
import { servingNode } from '../recipes/elsewhere.js'
import { balancersAmong, releaseNodes } from '../recipes/followers.js'
import { currentReceipt, type InstanceState, parseState, readState } from '../recipes/state.js'

/** Says what each node serves, and what was left in the middle. */
export const status = task({
  on: 'once',
  independent: true,
  needs: 'instance',
  group: 'Deploy',
  help: 'say what each node serves, who is changing it, what was interrupted, and how long its certificate lasts',
  examples: ['kraft status:live', 'kraft status:live --json'],
  async run({ target, session, line }) {
    const instance = requireInstance(target)
    const nodes = releaseNodes(instance, target.nodes)
    const balancers = balancersAmong(target.nodes).filter((node) => !nodes.includes(node))
    const serving = target.nodes.filter(({ name }) => name === servingNode(instance)?.name)
    const read = await eachNode(session, [...new Set([...nodes, ...balancers, ...serving])], line, async (node) => {
      const text = await node.read(lines(readState(instance), readCertificateEnd(instance)).text)
      return { state: parseState(text), certificate: parseCertificateEnd(text) }
    })
    const releases = read.filter(({ node }) => nodes.includes(node))
    const rows = read.map(({ node, value: { state, certificate } }) => {
      const said = [
        ...(nodes.includes(node) ? describe(state) : balancers.includes(node) ? ['balancer'] : []),
        ...(serving.includes(node) ? ['data for the others'] : []),
      ]
      return `${node.name}: ${[...said, ...(certificate === undefined ? [] : [describeCertificateEnd(certificate, instance)])].join(', ')}`
    })
    const served = new Set(releases.map(({ value }) => value.state.current?.id))
    const mixed =
      served.size > 1
        ? [`The nodes serve different releases: kraft deploy:${target.word} or kraft rollback:${target.word} makes them one`]
        : []
    const data = read.map(({ node, value: { state, certificate } }) => ({
      node: node.name,
      release: state.current?.id ?? null,
      generation: state.current?.generation ?? null,
      promoted_from: currentReceipt(state)?.promoted_from ?? null,
      interrupted: state.rollout ?? null,
      lock: state.holder ?? null,
      certificate: inData(certificate),
    }))
    return new Result([...rows, ...mixed].join('\n'), { nodes: data, mixed: served.size > 1 })
  },
})

function inData(end: CertificateEnd | undefined) {
  if (end === undefined) return null
  return end.until === undefined ? 'none' : { until: end.until.toISOString(), days: daysUntil(end.until) }
}

function describe(state: InstanceState): readonly string[] {
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
  ]
}
