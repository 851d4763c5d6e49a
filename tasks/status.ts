import { hasColors } from '../engine/report/abilities.js'
import { eachNode, type OnNode } from '../engine/task/each-node.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { usedServices } from '../recipes/application.js'
import { type CertificateEnd, daysUntil, describeCertificateEnd } from '../recipes/certificate-end.js'
import { servingNode } from '../recipes/elsewhere.js'
import { balancersAmong, releaseNodes } from '../recipes/followers.js'
import { currentReceipt, type InstanceState } from '../recipes/state.js'
import { attentionOf, isMixed, type Known, lookAt } from '../recipes/status/look.js'
import type { Attention } from '../recipes/status/part.js'

/** Says what each node serves, how it is, and what needs a hand. */
export const status = task({
  on: 'once',
  independent: true,
  needs: 'instance',
  group: 'Deploy',
  meantBy: ['health', 'info', 'details', 'check'],
  help: 'say what each node serves, and how it is\nSite, processes, services, node. Ends with code 1 where something needs a hand.',
  changes: 'nothing',
  examples: ['kraft status:live', 'kraft status:live --json', 'kraft status:live >/dev/null || echo look after it'],
  async run({ target, session, line }) {
    const instance = requireInstance(target)
    const services = await usedServices(instance)
    const nodes = releaseNodes(instance, target.nodes)
    const balancers = balancersAmong(target.nodes).filter((node) => !nodes.includes(node))
    const serving = target.nodes.filter(({ name }) => name === servingNode(instance)?.name)
    const read = await eachNode(session, [...new Set([...nodes, ...balancers, ...serving])], line, (node) =>
      lookAt({ instance, node, word: target.word, services, holdsReleases: nodes.includes(node) }),
    )
    const mixed = isMixed(read.filter(({ node }) => nodes.includes(node)).map(({ value }) => value.state))
    const heads = read.map(({ node, value: { state, certificate } }) => {
      const said = [
        ...(nodes.includes(node) ? describe(state) : balancers.includes(node) ? ['balancer'] : []),
        ...(serving.includes(node) ? ['data for the others'] : []),
      ]
      return `${node.name}: ${[...said, ...(certificate === undefined ? [] : [describeCertificateEnd(certificate, instance)])].join(', ')}`
    })
    const needed = read.map(({ value }) => attentionOf(value, target.word))
    const ok = !mixed && needed.every((each) => each.length === 0)
    const color = hasColors(process.stdout)
    const text = [
      ...read.flatMap(({ value }, index) => [heads[index] ?? '', ...details(value.found)]),
      ...(mixed
        ? [
            red(
              color,
              `The nodes serve different releases: kraft deploy:${target.word} or kraft rollback:${target.word} makes them one`,
            ),
          ]
        : []),
      ...read.flatMap(({ node }, index) =>
        (needed[index] ?? []).flatMap(({ what, next }) => [red(color, `! ${node.name}: ${what}`), `  ${next}`]),
      ),
    ]
    return new Result(
      text.join('\n'),
      { nodes: read.map((each, index) => inData(each, needed[index] ?? [])), mixed, ok },
      undefined,
      false,
      ok ? 0 : 1,
    )
  },
})

function inData({ node, value: { state, certificate, found } }: OnNode<Known>, attention: readonly Attention[]) {
  return {
    node: node.name,
    ok: attention.length === 0,
    attention,
    release: state.current?.id ?? null,
    generation: state.current?.generation ?? null,
    promoted_from: currentReceipt(state)?.promoted_from ?? null,
    interrupted: state.rollout ?? null,
    lock: state.holder ?? null,
    certificate: endInData(certificate),
    ...Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, data])),
  }
}

function endInData(end: CertificateEnd | undefined) {
  if (end === undefined) return null
  return end.until === undefined ? 'none' : { until: end.until.toISOString(), days: daysUntil(end.until) }
}

function details(found: Known['found']): readonly string[] {
  const rows = Object.values(found).flatMap((each) => each.rows)
  const width = Math.max(0, ...rows.map(([what]) => what.length))
  return rows.map(([what, how]) => `  ${what.padEnd(width)}  ${how}`)
}

function red(color: boolean, text: string): string {
  return color ? `\x1b[31m${text}\x1b[0m` : text
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
