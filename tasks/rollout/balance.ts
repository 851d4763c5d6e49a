import { KraftError } from '../../engine/errors/failure.js'
import { printError } from '../../engine/errors/print.js'
import type { Node } from '../../engine/node/node.js'
import type { Item, Line } from '../../engine/report/report.js'
import type { Step } from '../../engine/step/step.js'
import type { Session } from '../../engine/task/session.js'
import type { Https } from '../../project/https.js'
import type { Instance } from '../../project/instance.js'
import { apt } from '../../recipes/apt.js'
import { type Backend, balancer, passesOn, putBack, takeOut } from '../../recipes/balancer.js'
import { serves } from '../../recipes/followers.js'
import { certificate, httpsPackages, https as httpsSteps } from '../../recipes/https.js'
import { claim } from '../../recipes/instance.js'
import { freeNames } from '../../recipes/site.js'
import type { StepsPart } from './parts.js'
import type { Rollout } from './rollout.js'

/** The balancers of an environment, and all web nodes that they are before. */
export interface Balancing {
  readonly balancers: readonly Node[]
  readonly backends: readonly Backend[]
}

/** Who balances an instance, whatever nodes a command was limited to; undefined where nobody does. Throws `setting`. */
export async function balancingOf(instance: Instance, session: Session): Promise<Balancing | undefined> {
  const { nodes, domain } = instance.settings
  const withRole = (role: string) => nodes.filter(({ roles }) => roles?.includes(role))
  const [balancers, webs] = [withRole('balancer'), withRole('web')]
  if (balancers.length === 0) return undefined
  const wrong = (message: string, next: string) =>
    new KraftError({
      kind: 'setting',
      place: instance.project.place(['environments', instance.environment ?? '', 'nodes']),
      message,
      next,
    })
  const both = balancers.find((node) => webs.includes(node))
  if (both !== undefined) {
    throw wrong(`The node ${both.name} is a web node and the balancer before it`, 'Give the balancer a node of its own')
  }
  if (webs.length === 0) throw wrong('A balancer needs web nodes', 'Name them, for example: web: [a, b]')
  if (domain === undefined) {
    throw wrong(
      'A balancer passes on what is asked by a domain, and there is none',
      'Add one, for example: domain: www.example.com',
    )
  }
  const inventory = await session.inventory()
  const record = (name: string) => {
    const found = inventory.get(name)
    if (found === undefined) throw wrong(`The node ${name} is not known`, `Make it: kraft provision ${name}`)
    return found
  }
  return {
    balancers: balancers.map(({ name, roles = [] }) => session.connect(record(name), roles)),
    backends: webs.map(({ name }) => ({ name, address: record(name).address })),
  }
}

/** The addresses from which web nodes believe who the visitor is. */
export function trusted(balancing: Balancing | undefined): readonly string[] {
  return balancing?.balancers.map(({ record }) => record.address) ?? []
}

/** HTTPS as the web nodes have it: where there is a balancer, TLS ends there. */
export function httpsOnWeb(https: Https | undefined, balancers: readonly unknown[]): Https | undefined {
  return balancers.length > 0 ? undefined : https
}

/**
 * For what switches nodes, where there is a balancer and more than one web node: each is taken out before, and put back after. A
 * balancer that can't be told stops nothing, because a switch loses no request by itself.
 */
export function throughBalancer({ balancing, application }: Rollout): Pick<StepsPart, 'around'> {
  if (balancing === undefined || balancing.backends.length < 2) return {}
  const tell = async (steps: readonly Step[], line: Line) => {
    for (const node of balancing.balancers) {
      await node.apply('Balancer', steps, line).catch((error: unknown) => {
        const said = printError(error, { debug: false, color: false }).trim()
        line.output(`The balancer ${node.name} could not be told, and the switch goes on: ${said}`)
      })
    }
  }
  return {
    async around(node, line, work) {
      if (!serves(node)) return work()
      await tell(takeOut(application.instance, node.name), line)
      try {
        await work()
      } finally {
        await tell(putBack(application.instance, node.name), line)
      }
    },
  }
}

/** What a balancer has of an instance. */
export async function balancerSteps(
  instance: Instance,
  node: Node,
  { backends }: Balancing,
  https: Https | undefined,
): Promise<readonly Step[]> {
  const { domain = '', aliases, max_body: maxBody, timeout } = instance.settings
  const { ipv6, codename } = await node.facts()
  return [
    ...apt(...httpsPackages(https)),
    ...httpsSteps(instance, https, { name: node.name, codename, ipv6 }),
    ...balancer(instance, { domain, aliases, backends, maxBody, timeout, ipv6, https }),
  ]
}

/** The balancers' own settings, once all web nodes serve. */
export async function setUpBalancers(
  { balancing, application, nodes, applied }: Rollout,
  https: Https | undefined,
  line: Line,
): Promise<void> {
  if (balancing === undefined) return
  const { instance } = application
  const { domain = '', aliases } = instance.settings
  const title = 'Balancer'
  const setUp = (node: Node): Item => ({
    title: `${title} ${node.name}`,
    async run(own) {
      if (nodes.filter(serves).length < balancing.backends.length)
        return own.skip('as it is: not all of its web nodes were deployed')
      const steps = [
        ...claim(instance, instance.owner),
        ...freeNames(instance, { domain, aliases }),
        ...(await balancerSteps(instance, node, balancing, https)),
      ]
      applied.push({ node: node.name, title, applied: await node.apply(title, steps, own) })
      await node.apply('Ask through it', passesOn(instance, domain, instance.settings.health.path), own)
      applied.push({
        node: node.name,
        title: 'Certificate',
        applied: await node.apply('Certificate', certificate(instance, https), own),
      })
    },
  })
  await line.list(balancing.balancers.map(setUp), { concurrent: true })
}
