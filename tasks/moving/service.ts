import { KraftError } from '../../engine/errors/failure.js'
import type { Node } from '../../engine/node/node.js'
import type { NodeRecord } from '../../engine/node/record.js'
import type { Item, Line } from '../../engine/report/report.js'
import type { Target } from '../../engine/task/context.js'
import { runTask } from '../../engine/task/run.js'
import type { Session } from '../../engine/task/session.js'
import { type Instance, requireInstance } from '../../project/instance.js'
import { onNodes } from '../../project/other-nodes.js'
import type { EnvironmentNode } from '../../project/settings.js'
import { readApplication, usedServices, withFetched } from '../../recipes/application.js'
import { forgetFormer } from '../../recipes/exchange.js'
import { releaseNodes, serves } from '../../recipes/followers.js'
import { hold, holdLonger, stay } from '../../recipes/hold.js'
import { holdingOnly, movable } from '../../recipes/moved.js'
import { bringData } from '../bring-data.js'
import { dataServices } from '../data-services.js'
import { holdLock } from '../hold-lock.js'
import { setUpServices, withServices } from '../service-node.js'
import { recordOf } from './way.js'

/** The way of services to a node that has them for the others. */
export interface ServiceWay {
  readonly word: string
  /** The node that uses them. */
  readonly web: Node
  readonly instance: Instance
  readonly to: NodeRecord
  /** The instance once the node has the role db. */
  readonly moved: Instance
  /** Those that go: the role is for all that can be served by another node. */
  readonly names: readonly string[]
  /** Seconds for which requests wait at the most. */
  readonly pause: number
}

/** Finds it; undefined where the service is there already. Throws `usage` where it can't be. */
export async function serviceWay(
  target: Target,
  { service, to, pause }: { readonly service: string; readonly to: string; readonly pause: number },
  session: Session,
): Promise<ServiceWay | undefined> {
  const instance = requireInstance(target)
  const refuse = (message: string, next: string) => new KraftError({ kind: 'usage', message, next })
  const [web, ...others] = releaseNodes(instance, target.nodes)
  if (instance.environment === undefined || web === undefined || !serves(web) || others.length > 0) {
    throw refuse(
      `${target.word} is not an environment with one web node, and only of such a one a service is moved`,
      'Dump, change kraftwerk.yaml, deploy, and load: kraft help dump',
    )
  }
  const record = await recordOf(session, to)
  const moved = onNodes(instance, withRole(instance.settings.nodes, to))
  const [before, after] = await Promise.all([usedServices(instance), usedServices(moved)])
  const found = before.find((used) => used.service.name === service)
  if (found === undefined) {
    const names = before.map((used) => used.service.name)
    throw refuse(
      `${instance.name} has no service "${service}"`,
      names.length === 0 ? 'It has none' : `It has ${names.join(', ')}`,
    )
  }
  if (found.where === 'url')
    throw refuse(`${service} of ${instance.name} is at an address`, 'Take url: out of kraftwerk.yaml first')
  const names = after.filter((used, index) => used.where !== before[index]?.where).map((used) => used.service.name)
  if (names.includes(service)) return { word: instance.environment, web, instance, to: record, moved, names, pause }
  if (found.where === to || (found.where === undefined && to === web.name)) return undefined
  throw refuse(`${service} is always on the node that uses it`, 'Move all of the environment: kraft help move')
}

// Any other node loses the role: data live in one place.
function withRole(nodes: readonly EnvironmentNode[], to: string): readonly EnvironmentNode[] {
  const others = nodes.map(({ name, roles = ['web'] }) => ({ name, roles: roles.filter((role) => role !== 'db') }))
  const known = others.some(({ name }) => name === to) ? others : [...others, { name: to, roles: [] }]
  return known
    .map(({ name, roles }) => ({ name, roles: name === to ? [...roles, 'db'] : roles }))
    .filter(({ roles }) => roles.length > 0)
}

const item = (title: string, run: (line: Line) => Promise<unknown>): Item => ({
  title,
  run: async (line) => void (await run(line)),
})

/** Moves services to another node: see docs/moving.md for what happens when. */
export async function moveService(way: ServiceWay, session: Session, line: Line): Promise<void> {
  const { web, instance, moved, to, pause, names, word } = way
  const { timeout, drain = timeout, static_url: staticUrl } = instance.settings
  const all = names.join(' and ')
  const lock = await holdLock(session, web, instance.name, line)
  try {
    await line.list([
      item(`Check ${web.name}`, (own) => web.apply('Check', movable(instance), own)),
      item(`bootstrap:${to.name}`, async (own) => {
        if (to.name === web.name) return own.skip('it is there')
        const node = session.connect(to, ['db'])
        const target = { word: to.name, nodes: [node], project: undefined }
        await runTask({ task: await session.task('bootstrap'), target, options: {}, rest: [], session }, own)
      }),
      item(`${all} on ${to.name}`, (own) => setUpThere(way, session, own)),
      item(`First sync, while ${instance.name} serves`, (own) => syncServices(way, session, own)),
      item('Requests can wait', (own) => web.apply('Prepare', holdingOnly(instance, { timeout, staticUrl }), own)),
    ])
    try {
      await line.list([
        item('Requests wait, and nothing writes', (own) =>
          web.apply('Hold', hold(instance, { seconds: pause, patience: drain + 5 }), own),
        ),
        item('Last sync', (own) => syncServices(way, session, own)),
        item('Switch', async (own) => {
          await web.apply('Hold longer', holdLonger(instance), own)
          await lock.release()
          const target = { word, nodes: [web], project: moved }
          await runTask({ task: await session.task('reload'), target, options: {}, rest: [], session }, own)
        }),
      ])
    } finally {
      await line.list([item(`${instance.name} answers`, (own) => web.apply('Stay', stay(instance), own))])
    }
    const services = await dataServices(moved, [])
    const gone = services.filter(({ service }) => names.includes(service.name))
    await line.list([item('Tidy up', (own) => web.apply('Tidy up', forgetFormer(moved, gone), own))])
  } finally {
    await lock.release()
  }
}

/** The services on the node that is to have them, and what the web node needs to reach them. */
async function setUpThere({ web, moved, names }: ServiceWay, session: Session, line: Line): Promise<void> {
  const application = await withFetched(await readApplication(moved), false, line.output)
  await setUpServices(application, session, line, [])
  const { services } = await withServices(application, session)
  const steps = services
    .filter(({ service }) => names.includes(service.name))
    .flatMap(({ service, settings }) => [...service.install(), ...service.setup(moved, settings)])
  await web.apply('Reach them', steps, line)
}

async function syncServices({ word, web, instance, moved, names }: ServiceWay, session: Session, line: Line): Promise<void> {
  const going = (await dataServices(instance, [])).filter(({ service }) => names.includes(service.name))
  if (going.length === 0) return
  const services = await dataServices(
    moved,
    going.map(({ service }) => service.name),
  )
  const target = { word, nodes: [web], project: moved }
  await bringData(
    { node: web, instance, services: going },
    { target, services, locked: true, reload: async () => undefined },
    session,
    line,
  )
}
