import { explain } from '../engine/errors/explain.js'
import { KraftError } from '../engine/errors/failure.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { readApplication, withFetched } from '../recipes/application.js'
import { releaseNodes } from '../recipes/followers.js'
import { removeLeftovers } from '../recipes/leftovers.js'
import { readStaying, staysApplied } from '../recipes/migrations.js'
import { markBad, releaseId } from '../recipes/release.js'
import { type InstanceState, lastGood } from '../recipes/state.js'
import { ownInstance } from '../recipes/stopped.js'
import { requireRelease } from './current-release.js'
import { firstWebNode } from './first-node.js'
import { formerSnapshot } from './former-snapshot.js'
import { notifying } from './notify.js'
import { inParts } from './rollout/afterwards.js'
import { balancingOf } from './rollout/balance.js'
import { begin, reachFor, roomBeside } from './rollout/begin.js'
import { finish } from './rollout/finish.js'
import { newGeneration } from './rollout/names.js'
import { rollout } from './rollout/rollout.js'
import { generationSteps, renderProcesses, startAndCheck, switchAndDrain, whoAmI } from './rollout/switch.js'
import { orTakeBack } from './rollout/take-back.js'
import { withServices } from './service-node.js'

/** Serves an earlier release again, as a deploy would: started beside the current one, checked, switched to. */
export const rollback = task({
  on: 'once',
  rolling: true,
  connection: 'alone',
  needs: 'instance',
  group: 'Deploy',
  help: 'serve an earlier release again: the last good one, or RELEASE',
  changes: 'the release that serves, and its processes; the one that it leaves counts as bad; the data only with --with-data',
  examples: [
    'kraft rollback:live',
    'kraft rollback:live 20261128-101500',
    'kraft rollback:live --with-data',
    'kraft rollback:live --dry-run',
  ],
  options: {
    release: option({
      type: 'string',
      positional: true,
      help: 'its id (kraft releases lists them); left out: the last good one',
    }),
    withData: option({
      type: 'boolean',
      help: 'put the data back as well that it left, from the snapshot of the deploy after it',
    }),
  },
  run: notifying('rollback', async (context, noted) => {
    const { target, session, line, options } = context
    const instance = requireInstance(target)
    const { timeout, drain = timeout } = instance.settings
    const nodes = releaseNodes(instance, target.nodes)
    reachFor(nodes)
    const fetched = await withFetched(await readApplication(instance), session.flags.dryRun, line.output)
    const application = await withServices(fetched, session)
    const now = releaseId(new Date())
    const chosen = { id: options.release ?? now, generation: now }
    const whole = rollout({
      application,
      nodes,
      session,
      task: 'rollback',
      made: 'generation',
      switched: ({ name }) => (whole.states.get(name)?.current?.id === chosen.id ? 'live' : 'current'),
      releaseOn: () => ({ place: instance, ...chosen }),
      balancing: await balancingOf(instance, session),
    })
    renderProcesses(whole)
    const room = roomBeside(whole)
    await begin(whole, line, room.check)
    for (const node of nodes) requireRelease(instance, node, whole.states.get(node.name))
    await finish(whole, line)
    const states = nodes.map(({ name }) => whole.states.get(name)).filter((state) => state !== undefined)
    chosen.generation = newGeneration(whole)
    chosen.id = choose(instance.name, states, options)
    noted.release = chosen.id
    const goBack = options.withData
      ? await formerSnapshot(context, chosen.id, whole.states.get(firstWebNode(target).name))
      : undefined
    const left = new Map(nodes.map(({ name }) => [name, whole.states.get(name)?.current?.id ?? '']))
    await inParts(whole, line, (part, own) =>
      orTakeBack(part, own, [
        ...room.parts,
        {
          title: 'Environment',
          chapter: 'Prepare',
          steps: (node) => [
            ...ownInstance(instance, instance.owner),
            ...removeLeftovers(instance, drain),
            ...generationSteps(part, node),
          ],
        },
        ...startAndCheck(part),
        // What a node serves already is left by nobody.
        ...switchAndDrain(part, (node) =>
          part.switched(node) === 'live' ? [] : markBad(part.releaseOn(node), left.get(node.name) ?? '', whoAmI()),
        ),
        { title: 'Migrations', chapter: 'Tidy up', steps: (node) => staysApplied(part.releaseOn(node)) },
      ]),
    )
    if (goBack !== undefined) {
      // It takes them itself.
      for (const held of whole.locks.values()) await held.release()
      await goBack().catch((error: unknown) => {
        throw session.flags.dryRun ? error : withoutData(error, `kraft rollback:${target.word} ${chosen.id} --with-data`)
      })
    }
    const from = [...new Set(left.values())]
    const said = session.flags.dryRun ? 'would go back to' : 'is back at'
    const migrations = [...new Set(whole.applied.flatMap(({ applied }) => readStaying(applied.output.flat())))]
    const staying = migrations.length === 0 || options.withData ? '' : `\nThese migrations stay applied: ${migrations.join(', ')}`
    return new Result(`${instance.name} ${said} release ${chosen.id} (was ${from.join(', ')})${staying}`, {
      migrations,
      release: chosen.id,
      was: Object.fromEntries(left),
      generation: chosen.generation,
    })
  }),
})

// All nodes go to one release, which each must have.
function choose(
  name: string,
  states: readonly InstanceState[],
  { release: asked, withData }: { readonly release?: string | undefined; readonly withData: boolean },
): string {
  const held = (id: string) => states.every(({ releases }) => releases.some((release) => release.id === id && release.served))
  const newest = states
    .flatMap(({ current }) => current?.id ?? [])
    .toSorted()
    .at(-1)
  const good = states.map((state) => lastGood(state, newest))
  const id = asked ?? good[0]
  if (id !== undefined && (asked !== undefined || good.every((each) => each === id)) && held(id)) {
    // Its code may be back, and its data not.
    if (withData || states.some(({ current }) => current?.id !== id)) return id
    throw new KraftError({ kind: 'usage', message: `${name} serves release ${id} already` })
  }
  const common = (states[0]?.releases ?? []).filter((release) => held(release.id) && states[0]?.current?.id !== release.id)
  const known = common.map((release) => `${release.id}${release.bad === undefined ? '' : ' (bad)'}`)
  throw new KraftError({
    kind: 'task',
    message:
      asked === undefined ? `${name} has no good release to go back to` : `${name} has no release ${asked} that has served`,
    next:
      known.length === 0 ? 'Deploy the code that you want: kraft deploy:TARGET --rev REVISION' : `There are ${known.join(', ')}`,
  })
}

/** The code is back already, and the same command once more would go back further. */
function withoutData(error: unknown, command: string): unknown {
  const failure = explain(error)?.failure
  if (failure === undefined || failure.kind === 'code' || failure.kind === 'interrupted') return error
  const said = `The code is back, and the data may not be. Correct the cause, then: ${command}`
  return new KraftError({ ...failure, next: failure.next === undefined ? said : `${failure.next}. ${said}` }, error)
}
