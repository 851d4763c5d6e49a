import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import type { Line } from '../engine/report/report.js'
import type { Step } from '../engine/step/step.js'
import type { Session } from '../engine/task/session.js'
import type { Instance } from '../project/instance.js'
import type { ServiceServer } from '../project/service.js'
import type { Application, UsedService } from '../recipes/application.js'
import { servingNode, using } from '../recipes/elsewhere.js'
import { claim, instanceUser, logRotation } from '../recipes/instance.js'
import { loadKind } from '../recipes/kinds.js'

/** The node with the role db, and what it has to serve. */
interface Serving {
  readonly node: Node
  readonly services: readonly { readonly used: UsedService; readonly server: ServiceServer }[]
}

/** What the node with the role db has of the services that the others use; undefined where none has. */
export async function serviceSteps(
  application: Application,
  session: Session,
): Promise<{ readonly node: Node; readonly steps: readonly Step[] } | undefined> {
  const serving = await servingOf(application, session)
  if (serving === undefined) return undefined
  const { instance } = application
  const { node, services } = serving
  const reach = { address: node.record.address, clients: await addresses(instance, session) }
  const local = await Promise.all(services.map(({ used }) => loadKind('services', used.service.name)))
  const steps = [
    ...claim(instance, instance.owner),
    ...instanceUser(instance),
    ...services.flatMap(({ used: { settings }, server }, index) => [
      ...(local[index]?.install() ?? []),
      ...(server.prepare?.(instance, settings, reach) ?? []),
      ...(local[index]?.setup(instance, settings) ?? []),
      ...server.setup(instance, settings, reach),
    ]),
    // Where it serves visitors as well its set-up sees to that.
    ...(using(instance.settings.nodes).some(({ name }) => name === node.name)
      ? []
      : logRotation(instance, { stamped: [], open: services.map(({ used }) => used.service.name) })),
  ]
  return { node, steps }
}

/** Sets up, on the node with the role db, what the others use, and lets these in. */
export async function setUpServices(
  application: Application,
  session: Session,
  line: Line,
  applied: { readonly node: string; readonly title: string; readonly applied: Awaited<ReturnType<Node['apply']>> }[],
): Promise<void> {
  const found = await serviceSteps(application, session)
  if (found === undefined) return
  const { node, steps } = found
  const title = `Services on ${node.name}`
  await line.list([
    { title, run: async (own) => void applied.push({ node: node.name, title, applied: await node.apply(title, steps, own) }) },
  ])
}

/**
 * The application with the addresses of what another node serves, read there.
 *
 * @throws KraftError `task` where that node has nothing for it yet; a dry run goes on without, and so does what only looks.
 */
export async function withServices(
  application: Application,
  session: Session,
  looks = session.flags.dryRun,
): Promise<Application> {
  const serving = await servingOf(application, session)
  if (serving === undefined) return application
  const { node } = serving
  const found = await Promise.all(
    serving.services.map(async ({ used, server }) => {
      const printed = await node.read(server.access(application.instance).text)
      const settings = server.read(printed, application.instance, node.record.address, used.settings)
      if (settings !== undefined) return { ...used, settings: { ...used.settings, ...settings } }
      if (looks) return used
      throw new KraftError({
        kind: 'task',
        node: node.name,
        message: `${used.service.name} of ${application.instance.name} was not set up there yet`,
        next: `Deploy it: kraft deploy:${application.instance.environment ?? ''}`,
      })
    }),
  )
  const services = application.services.map((used) => found.find(({ service }) => service.name === used.service.name) ?? used)
  return { ...application, services }
}

async function servingOf({ instance, services }: Application, session: Session): Promise<Serving | undefined> {
  const found = servingNode(instance)
  const wanted = services.flatMap((used) => {
    const server = used.service.elsewhere?.server
    return server === undefined || used.settings.node !== found?.name ? [] : [{ used, server }]
  })
  if (found === undefined || wanted.length === 0) return undefined
  return { node: session.connect(await record(instance, session, found.name), found.roles ?? 'every'), services: wanted }
}

// Rules for who may come want numbers.
async function addresses(instance: Instance, session: Session): Promise<readonly string[]> {
  const found = using(instance.settings.nodes).map(async ({ name }) => {
    const { address } = await record(instance, session, name)
    if (isIP(address) !== 0) return [address]
    return (await lookup(address, { all: true })).map((each) => each.address)
  })
  return [...new Set((await Promise.all(found)).flat())].sort()
}

async function record(instance: Instance, session: Session, name: string) {
  const found = (await session.inventory()).get(name)
  if (found !== undefined) return found
  throw new KraftError({
    kind: 'setting',
    place: instance.project.place(['environments', instance.environment ?? '', 'nodes']),
    message: `The node ${name} is not known`,
    next: `Make it: kraft provision ${name}`,
  })
}
