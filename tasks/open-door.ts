import type { Node } from '../engine/node/node.js'
import { registerSecretive } from '../engine/shell/secretive.js'
import { lines, sh } from '../engine/shell/sh.js'
import { type OpenPort, openPort } from '../engine/ssh/local-port.js'
import type { Instance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import type { Service } from '../project/service.js'
import type { UsedService } from '../recipes/application.js'
import { throughDoor } from '../recipes/door.js'

/** What {@link openDoor} is given. */
export interface DoorAsked {
  readonly instance: Instance
  readonly used: UsedService & { readonly service: Required<Pick<Service, 'door'>> }
  readonly node: Node
  /** Of this machine; 0: one that is free. */
  readonly port: number
  /** Is told what a client can't be told. */
  readonly note: (text: string) => void
}

/** A port of this machine that leads to a service on a node. */
export interface OpenDoor extends OpenPort {
  /** How a client names it. */
  readonly url: string
  /** The variable that holds the password which a client has to give, if there is one. */
  readonly password: string | undefined
  /** What an application finds in its environment; undefined where the service does not say. */
  readonly environ: Readonly<Record<string, string>> | undefined
}

/**
 * Opens a port of this machine's loopback to a service of an instance, with the rights of the application.
 *
 * @throws KraftError where the node can't be reached or the instance is not deployed there; `usage` where the port is taken.
 * @example const { url, close } = await openDoor({ instance, used, node, port: 0, note: session.report.note })
 */
export async function openDoor({ instance, used, node, port, note }: DoorAsked): Promise<OpenDoor> {
  const { service, settings, where } = used
  const door = service.door(instance, settings)
  const { reads = [], password } = door
  const access = where === undefined ? undefined : layout.access(instance, service.name)
  const made = where === undefined ? (service.made ?? []) : []
  const files = [access, made.length > 0 ? layout.made(instance, service.name) : undefined].filter((file) => file !== undefined)
  const names = [...reads, ...made]
  const printed = await node.read(
    lines(
      sh`if [ ! -e ${access ?? layout.settings(instance)} ]; then echo ${`${instance.name} is not deployed there yet`} >&2; exit 1; fi`,
      ...files.map((file) => sh`. ${file}`),
      sh`for name in ${names}; do eval "printf '%s\\n' \"\$$name\""; done`,
    ).text,
  )
  const found = printed.split('\n')
  const read = Object.fromEntries(names.map((name, index) => [name, found[index] ?? '']))
  registerSecretive(read)
  const command = node.asRoot(throughDoor(instance, door, access).text)
  const open = await openPort({ connection: node.connection, command, port, note })
  return { ...open, url: door.url(open.port, read), password, environ: door.environ?.(open.port, read) }
}
