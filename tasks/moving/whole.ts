import { KraftError } from '../../engine/errors/failure.js'
import type { Item, Line } from '../../engine/report/report.js'
import { sh } from '../../engine/shell/sh.js'
import { runTask } from '../../engine/task/run.js'
import type { Session } from '../../engine/task/session.js'
import { quietly } from '../../project/other-nodes.js'
import { noBackup } from '../../recipes/backup.js'
import { noneCarried } from '../../recipes/carry.js'
import { keepSwitched } from '../../recipes/environ.js'
import { forgetFormer } from '../../recipes/exchange.js'
import { followers, serves } from '../../recipes/followers.js'
import { hold, holdLonger, leave, stay } from '../../recipes/hold.js'
import { servesHttps } from '../../recipes/https.js'
import { claim } from '../../recipes/instance.js'
import {
  arrived,
  movable,
  movedFrom,
  type PassedOn,
  passedOnBy,
  passedOnByNobody,
  passingOn,
  passOnAgain,
  reaches,
  welcome,
} from '../../recipes/moved.js'
import { currentReceipt } from '../../recipes/state.js'
import { staticBucket } from '../../recipes/static-bucket.js'
import { backupSteps } from '../backup-steps.js'
import { requireRelease } from '../current-release.js'
import { holdLock } from '../hold-lock.js'
import { beginMove } from '../moving-now.js'
import { openPromoted } from '../promoted.js'
import { stateOn } from '../releases.js'
import { requireOwner } from '../require-owner.js'
import { promoteTo } from '../upload.js'
import { ownData } from './own-data.js'
import { carryKept, syncData } from './sync-data.js'
import { newNode, newTarget, type Way } from './way.js'

/** Looks whether an instance can leave its node; changes nothing. Returns its release, or undefined where it has left already. */
export async function lookAtNode(way: Way): Promise<string | undefined> {
  const { from, instance, to } = way
  await requireOwner(from, instance, 'Call kraft in that project')
  const state = await stateOn(from, instance)
  const id = requireRelease(instance, from, state)
  if (state.moved === to.name) return undefined
  const refuse = (message: string, next: string) => new KraftError({ kind: 'task', node: from.name, message, next })
  if (state.moved !== undefined) {
    throw refuse(
      `${instance.name} has moved from here to ${state.moved}`,
      `Have kraftwerk.yaml name ${state.moved}, then move it on from there`,
    )
  }
  if (state.rollout !== undefined) {
    throw refuse('a deploy was interrupted there', `Finish it first: kraft deploy:${way.word}`)
  }
  const stopped = await from.read(sh`ls -d /etc/sv/${instance.name}.*/down 2>/dev/null || :`.text)
  const before = (await from.read(movedFrom(instance).text)).trim()
  if (before !== '' && before !== to.name) {
    throw refuse(
      `${instance.name} has moved here from ${before}, which still passes on to this node`,
      `Once nothing comes there any more: kraft move:${way.word} --remove-old`,
    )
  }
  if (stopped.trim() !== '') throw refuse(`${instance.name} is stopped there`, `Start it first: kraft start:${way.word}`)
  return id
}

/** Moves all of an instance to another node: see docs/moving.md for what happens when. */
export async function moveAll(way: Way, session: Session, line: Line): Promise<void> {
  const { from, instance, to } = way
  beginMove(session)
  const lock = await holdLock(session, from, instance.name, line)
  try {
    const release = await lookAtNode(way)
    if (release !== undefined) {
      await prepare(way, release, session, line)
      await switchOver(way, session, line)
    }
    await finishing(way, line, [
      { title: `Processes and cron on ${to.name}`, run: (own) => beginThere(way, session, own) },
      // Of one that it had come from, and goes back to, nothing comes any more.
      apply(`Nothing runs on ${from.name}`, (own) =>
        from.apply(
          'Nothing runs',
          [...noBackup(instance), ...staticBucket(instance, undefined), ...passedOnByNobody(instance)],
          own,
        ),
      ),
    ])
  } finally {
    await lock.release()
  }
}

/** Whoever meets an error here has moved all the same. */
async function finishing({ instance, to, word }: Way, line: Line, items: readonly Item[]): Promise<void> {
  try {
    await line.list(items)
  } catch (error) {
    line.output(`${instance.name} has moved: ${to.name} answers. What is left is done by: kraft move:${word} --to ${to.name}`)
    throw error
  }
}

const apply = (title: string, run: (line: Line) => Promise<unknown>): Item => ({
  title,
  run: async (line) => void (await run(line)),
})

/** All that can be done while the old node serves. */
async function prepare(way: Way, release: string, session: Session, line: Line): Promise<void> {
  const { from, instance, moved, to, word } = way
  const quiet = quietly(moved)
  await line.list([
    apply(`Check ${from.name}`, (own) => from.apply('Check', [...movable(instance), ...keepSwitched(instance)], own)),
    apply(`bootstrap:${to.name}`, async (own) =>
      runTask(
        {
          task: await session.task('bootstrap'),
          target: { word: to.name, nodes: [newNode(way, session)], project: undefined },
          options: {},
          rest: [],
          session,
        },
        own,
      ),
    ),
    apply(`What ${from.name} keeps of ${instance.name}`, async (own) => {
      const node = newNode(way, session)
      await node.apply('Claim the name', claim(moved, moved.owner), own)
      await carryKept(way, session)
    }),
    apply(`deploy:${word} on ${to.name}`, async (own) => {
      const origin = [instance.project.name, instance.environment, release].filter((each) => each !== undefined).join(' ')
      const there = await stateOn(newNode(way, session), moved)
      if (currentReceipt(there)?.promoted_from === origin) return own.skip('it has that release already')
      const code = await openPromoted({ from: instance, nodes: [from], to: quiet }, session, own)
      promoteTo(quiet, session, code)
      const target = newTarget(way, session, quiet)
      await runTask({ task: await session.task('deploy'), target, options: {}, rest: [], session }, own)
    }),
    apply('First sync, while the old node serves', (own) => syncData(way, session, own, false)),
    apply('How requests are passed on', async (own) => {
      const tls = (await from.read(sh`if ${servesHttps(instance)}; then echo tls; fi`.text)).trim() === 'tls'
      const given: PassedOn = {
        address: to.address,
        domain: instance.settings.domain,
        tls,
        timeout: instance.settings.timeout,
        staticUrl: instance.settings.static_url,
      }
      await newNode(way, session).apply('Visitors of the old node', passedOnBy(moved, from.name, from.record.address), own)
      await from.apply(
        'Pass on',
        [...passingOn(instance, given), ...reaches(instance, given, instance.settings.health.path)],
        own,
      )
    }),
  ])
}

/** The pause: until it is over requests wait. Whatever fails in it has the old node go on. */
async function switchOver(way: Way, session: Session, line: Line): Promise<void> {
  const { from, instance, moved, to, pause } = way
  const { timeout, drain = timeout } = instance.settings
  try {
    await line.list([
      apply('Requests wait, and nothing writes', (own) =>
        from.apply('Hold', hold(instance, { seconds: pause, patience: drain + 5 }), own),
      ),
      apply('Last sync', (own) => syncData(way, session, own, true)),
      apply('Switch', async (own) => {
        await from.apply('Hold longer', holdLonger(instance), own)
        // The node that it leaves passes on at once, also to one that has passed on until now.
        await newNode(way, session).apply('Answer', welcome(moved), own)
        await from.apply('Leave', leave(instance, to.name), own)
      }),
    ])
  } catch (error) {
    const back = [
      apply(`${instance.name} goes on at ${from.name}`, (own) => from.apply('Stay', stay(instance), own)),
      apply(`${to.name} is as it was`, (own) => newNode(way, session).apply('As it was', passOnAgain(moved), own)),
    ]
    // Why it failed says more; what the node does by itself it does without us.
    for (const each of back) await line.list([each]).catch(() => undefined)
    throw error
  }
}

/** What must not run twice begins on the new node once nothing runs on the old one. */
async function beginThere(way: Way, session: Session, line: Line): Promise<void> {
  const { moved } = way
  const node = newNode(way, session)
  const backups = await backupSteps(moved, session)
  const steps = [
    ...(serves(node) ? followers(moved, node, { restart: true }) : []),
    ...backups(node),
    ...forgetFormer(moved, await ownData(moved)),
    ...noneCarried(moved),
    ...arrived(moved),
  ]
  await node.apply('Begin', steps, line)
}
