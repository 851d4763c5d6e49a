import type { Node } from '../engine/node/node.js'
import { eachNode } from '../engine/task/each-node.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import type { Place } from '../project/service.js'
import { releaseNodes } from '../recipes/followers.js'
import { describeCode, type HeldRelease, type InstanceState, lastGood, parseState, readState } from '../recipes/state.js'

/** Lists the releases that the nodes hold. */
export const releases = task({
  on: 'once',
  independent: true,
  needs: 'instance',
  group: 'Deploy',
  meantBy: ['versions', 'history'],
  help: 'list releases, and which one a rollback goes to\nWhen, who, from which revision, which one serves.',
  changes: 'nothing',
  examples: ['kraft releases:live', 'kraft releases:live --json'],
  async run({ target, session, line }) {
    const instance = requireInstance(target)
    const nodes = releaseNodes(instance, target.nodes)
    const read = await eachNode(session, nodes, line, (node) => stateOn(node, instance))
    const texts = read.map(({ node, value }) => {
      const rows = value.releases.map((release) => describe(release, value))
      const text = rows.length === 0 ? 'no release yet' : rows.join('\n')
      return nodes.length === 1 ? text : `${node.name}:\n${text.replaceAll(/^/gm, '  ')}`
    })
    const data = Object.fromEntries(
      read.map(({ node, value }) => [
        node.name,
        value.releases.map((release) => ({
          id: release.id,
          state: stateOf(release, value),
          bad: release.bad ?? null,
          ...release.receipt,
        })),
      ]),
    )
    return new Result(texts.join('\n'), data)
  },
})

/** What an instance is on a node now. */
export async function stateOn(node: Node, place: Place): Promise<InstanceState> {
  return parseState(await node.read(readState(place).text))
}

type ReleaseState = 'current' | 'good' | 'bad' | 'unfinished'

/** What a release is on a node: it serves, has served, was left by a rollback, or never came to serve. */
export function stateOf(release: HeldRelease, { current }: InstanceState): ReleaseState {
  if (release.id === current?.id) return 'current'
  if (release.bad !== undefined) return 'bad'
  return release.served ? 'good' : 'unfinished'
}

function describe(release: HeldRelease, state: InstanceState): string {
  const { by, promoted_from: from } = release.receipt
  const how = stateOf(release, state)
  const notes = [
    how === 'good' && lastGood(state) === release.id ? 'rollback goes here' : how,
    ...(release.bad === undefined ? [] : [`left by ${release.bad}`]),
    ...(from === undefined ? [] : [`promoted from ${from}`]),
  ]
  return [release.id, by ?? 'unknown', describeCode(release.receipt) || 'no repository', notes.join(', ')].join('  ')
}
