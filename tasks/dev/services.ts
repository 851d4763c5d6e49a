import { errorData } from '../../engine/errors/data.js'
import type { Node } from '../../engine/node/node.js'
import type { Instance } from '../../project/instance.js'
import type { Developer, Service } from '../../project/service.js'
import type { UsedService } from '../../recipes/application.js'
import { loadKind } from '../../recipes/kinds.js'
import { openDoor } from '../open-door.js'
import { type Said, whoSaid } from './environ.js'
import { findHere } from './here.js'

/** Where a service of the project comes from while a developer works. */
export interface Source {
  readonly service: string
  /** In words. */
  readonly said: string
  /** What the application finds in its environment. */
  readonly values: Readonly<Record<string, string>>
  /** Ends the way to it. */
  close(): void
}

/** What decides where services come from. */
export interface Surroundings {
  readonly instance: Instance
  /** What the developer has said of variables: it wins. */
  readonly said: Said
  /** The node of this machine that runs the instance. */
  readonly node: Node | undefined
  readonly developer: Developer
  /** Opens no port: a dry run. */
  readonly dryRun: boolean
  readonly note: (text: string) => void
}

/**
 * Finds a service of the project: what the developer's own variables say, else that of the local node, else what runs on this machine, else
 * nothing, and the application goes on without its variables.
 */
export async function findSource(used: UsedService, around: Surroundings): Promise<Source> {
  const { name } = used.service
  const plain = await loadKind('services', name)
  const names = variablesOf(plain, used, around.instance)
  const own = ownVariable(names, around.said)
  const found = own ??
    (await onNode(used, around)) ??
    (await onThisMachine(plain, around)) ?? { said: missing(names), values: {} }
  return { close: () => undefined, ...found, service: name }
}

type Found = Omit<Source, 'service' | 'close'> & Partial<Pick<Source, 'close'>>

function variablesOf(service: Service, { settings }: UsedService, instance: Instance): readonly string[] {
  return [...Object.keys(service.environ(instance, settings)), ...(service.made ?? [])]
}

/** Of the shell only the first counts, the address: a PGUSER of one's own says nothing of where the database is. */
function ownVariable(names: readonly string[], said: Said): Found | undefined {
  const [address] = names
  const written = names.find((name) => whoSaid(name, { ...said, shell: {} }) !== undefined)
  const name = address !== undefined && said.shell[address] !== undefined ? address : written
  return name === undefined ? undefined : { said: `${name} of ${whoSaid(name, said)}`, values: {} }
}

async function onNode(used: UsedService, { instance, node, dryRun, note }: Surroundings): Promise<Found | undefined> {
  const { service, settings, where } = used
  const { door } = service
  if (node === undefined || door === undefined || where === 'url' || door(instance, settings).environ === undefined)
    return undefined
  const place = `${instance.name} on the node ${node.name}`
  if (dryRun) return { said: place, values: {} }
  try {
    const open = await openDoor({
      instance,
      used: { ...used, service: { ...service, door } },
      node,
      port: 0,
      note: (text) => note(`${service.name}: ${text}`),
    })
    open.lost.catch((error: unknown) => note(`${service.name}: ${errorData(error).message}`))
    return { said: `${place}, at 127.0.0.1:${open.port}`, values: open.environ ?? {}, close: open.close }
  } catch (error) {
    note(`${service.name}: ${errorData(error).message}`)
    return undefined
  }
}

async function onThisMachine(service: Service, { developer, said }: Surroundings): Promise<Found | undefined> {
  const places = service.here?.(developer) ?? []
  const here = await findHere(places, said.shell)
  return here === undefined ? undefined : { said: here.what, values: here.environ }
}

function missing([address]: readonly string[]): string {
  return address === undefined ? 'none here' : `none here; without ${address} the project's own settings decide`
}
