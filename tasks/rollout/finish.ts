import type { Node } from '../../engine/node/node.js'
import type { Line } from '../../engine/report/report.js'
import { sh } from '../../engine/shell/sh.js'
import type { Step } from '../../engine/step/step.js'
import { layout } from '../../project/layout.js'
import { drainOthers } from '../../recipes/gunicorn.js'
import { settled } from '../../recipes/journal.js'
import { markBad } from '../../recipes/release.js'
import { endService } from '../../recipes/runit.js'
import type { InstanceState } from '../../recipes/state.js'
import { inOrder, type Part } from './parts.js'
import { type Rollout, rollout } from './rollout.js'
import { generationSteps, startAndCheck, switchAndDrain, whoAmI } from './switch.js'

/**
 * Finishes what an earlier call left in the middle: where some nodes have switched, the others follow; where none has, the decision is
 * forgotten. The locks are held. Afterwards the states are those of now.
 *
 * @returns the nodes that followed.
 */
export async function finish(whole: Rollout, line: Line): Promise<readonly Node[]> {
  const { nodes, states, session } = whole
  const decided = nodes.filter((node) => states.get(node.name)?.rollout !== undefined)
  if (decided.length === 0) return []
  const isSwitched = decided.some((node) => hasSwitched(states.get(node.name)))
  const late = isSwitched ? decided.filter((node) => !hasSwitched(states.get(node.name))) : []
  const items = [...(late.length === 0 ? [] : inOrder(following(whole, late), catchingUp(whole, late), () => undefined))]
  const rest = { ...whole, nodes: decided }
  const names = late.map(({ name }) => name)
  items.push(
    ...inOrder(
      rest,
      [
        {
          title: 'Settle what was interrupted',
          chapter: 'Finish what was interrupted',
          steps: (node) => [
            ...(isSwitched ? leftByRollback(whole, node) : []),
            ...settled(whole.application.instance),
            ...(late.length > 0 && !names.includes(node.name) ? drainOthers(decision(whole, node), patience(whole)) : []),
          ],
        },
      ],
      () => undefined,
    ),
  )
  await line.list(items)
  if (session.flags.dryRun) return late
  for (const node of decided) {
    const state = states.get(node.name)
    if (state === undefined) continue
    const { rollout: decided, ...left } = state
    states.set(node.name, { ...left, rollout: undefined, ...(names.includes(node.name) ? { current: decided } : {}) })
  }
  return late
}

function hasSwitched(state: InstanceState | undefined): boolean {
  const { current, rollout: decided } = state ?? {}
  return decided !== undefined && current?.id === decided.id && current.generation === decided.generation
}

function decision({ application, states }: Rollout, { name }: Node) {
  const { id = '', generation = '' } = states.get(name)?.rollout ?? {}
  return { place: application.instance, id, generation }
}

// What served before is newer: somebody went back from it, and was interrupted before it was marked.
function leftByRollback(whole: Rollout, node: Node): readonly Step[] {
  const release = decision(whole, node)
  const former = whole.states.get(node.name)?.rollout?.former ?? ''
  return former > release.id ? markBad(release, former, whoAmI()) : []
}

function patience({ application }: Rollout): number {
  const { timeout, drain = timeout } = application.instance.settings
  return drain
}

// What is late may have to switch to another release, or to other processes of the one that it serves.
function following(whole: Rollout, late: readonly Node[]): Rollout {
  const given = { application: whole.application, session: whole.session, nodes: late, task: `finish-${whole.task}` }
  return {
    ...rollout({
      ...given,
      made: 'generation',
      switched: ({ name }) => {
        const state = whole.states.get(name)
        return state?.current?.id === state?.rollout?.id ? 'live' : 'current'
      },
      releaseOn: (node) => decision(whole, node),
    }),
    locks: whole.locks,
  }
}

function catchingUp(whole: Rollout, late: readonly Node[]): readonly Part[] {
  const part = following(whole, late)
  return [
    {
      title: 'Finish what was interrupted',
      chapter: 'Finish what was interrupted',
      steps: (node) => [...endTrial(part, node), ...generationSteps(part, node)],
    },
    ...startAndCheck(part),
    ...switchAndDrain(part),
  ]
}

// After a power cut they are there and down: they are started as if they were new.
function endTrial({ application: { instance }, releaseOn }: Rollout, node: Node) {
  const { generation } = releaseOn(node)
  return [
    {
      title: 'End the processes that were on trial',
      quiet: true,
      apply: sh`
        rm -f ${layout.trial(instance, generation)}
        service=${layout.runit(instance, generation)}
        ${endService(3)}
      `,
    },
  ]
}
