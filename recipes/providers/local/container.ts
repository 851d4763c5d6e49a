import { createServer } from 'node:net'
import * as v from 'valibot'
import { KraftError } from '../../../engine/errors/failure.js'
import type { NodeState } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import type { EngineName } from './engine.js'
import { listens } from './listens.js'
import { runProgram } from './program.js'
import { ulimits } from './ulimits.js'

/** What podman and docker know of a node's container. */
export interface Container {
  readonly name: string
  readonly running: boolean
  readonly labels: Readonly<Record<string, string>>
  /** In the engine's own network; reached from here where the engine runs on this very kernel, as root. */
  readonly address: string | undefined
}

/** Labels that tell what a container is. */
export const labels = { node: 'kraftwerk.node', login: 'kraftwerk.login', ports: 'kraftwerk.ports' } as const

/** What a node serves, in the order in which its ports of this machine are kept. */
const served = [22, 80, 443] as const

const inspected = v.array(
  v.object({
    Name: v.string(),
    State: v.object({ Running: v.boolean() }),
    Config: v.object({ Labels: v.nullish(v.record(v.string(), v.string()), {}) }),
    // Docker 29 says it of each network alone.
    NetworkSettings: v.object({
      IPAddress: v.optional(v.string(), ''),
      Networks: v.nullish(v.record(v.string(), v.object({ IPAddress: v.optional(v.string(), '') })), {}),
    }),
  }),
)

/** The container of a node, by its name. */
export const containerName = (node: string) => `kraft-${node}`

/** A container as it is now; undefined where there is none. */
export async function findContainer(program: EngineName, name: string): Promise<Container | undefined> {
  const { code, stdout, stderr } = await runProgram(program, ['container', 'inspect', name], { anyCode: true })
  if (code !== 0) {
    if (/no such/i.test(stderr)) return undefined
    throw new KraftError({
      kind: 'task',
      message: `${program} can't say how ${name} is`,
      output: stderr.trimEnd(),
      next: `Is ${program} installed, does it run, and may you use it? ${program} info`,
    })
  }
  const [found] = v.parse(inspected, JSON.parse(stdout))
  if (found === undefined) return undefined
  const { IPAddress, Networks } = found.NetworkSettings
  const address = [IPAddress, ...Object.values(Networks).map((each) => each.IPAddress)].find((each) => each !== '')
  return {
    name: found.Name.replace(/^\//, ''),
    running: found.State.Running,
    labels: found.Config.Labels,
    address,
  }
}

/** How a container runs: systemd as PID 1, and the rights of a server over itself. */
const rights: Readonly<Record<'podman' | 'docker', readonly string[]>> = {
  podman: ['--systemd=always', '--cap-add=NET_ADMIN,NET_RAW,SYS_ADMIN,AUDIT_WRITE,MKNOD'],
  // Docker has no other way to let systemd manage its own cgroup.
  docker: ['--privileged', '--cgroupns=private', '--tmpfs=/run', '--tmpfs=/run/lock'],
}

/** A container that is to run. */
export interface ToRun {
  readonly node: string
  readonly image: string
  readonly ports: string
  readonly labels: Readonly<Record<string, string>>
}

/** Starts a new container from an image. */
export async function runContainer(program: 'podman' | 'docker', { node, image, ports, labels: given }: ToRun): Promise<void> {
  const own = ports.split(',')
  const publish = served.map((port, index) => `--publish=127.0.0.1:${own[index]}:${port}`)
  const said = Object.entries({ ...given, [labels.node]: node, [labels.ports]: ports }).map(
    ([key, value]) => `--label=${key}=${value}`,
  )
  const limits = program === 'podman' ? await ulimits() : []
  const words = [
    'run',
    '--detach',
    '--name',
    containerName(node),
    '--hostname',
    node,
    ...rights[program],
    ...limits,
    ...publish,
    ...said,
  ]
  await runProgram(program, [...words, image, '/sbin/init'])
}

/** Removes a node's container; one that is gone already is fine. Throws a KraftError where it stays. */
export async function removeContainer(program: 'podman' | 'docker', node: string): Promise<void> {
  const name = containerName(node)
  // Some versions fail where there is none, so it is looked at and not the code.
  const { stderr } = await runProgram(program, ['rm', '--force', '--volumes', name], { anyCode: true })
  if ((await findContainer(program, name)) === undefined) return
  throw new KraftError({
    kind: 'task',
    node,
    message: `${program} did not remove its container ${name}`,
    output: stderr.trimEnd(),
    next: `Correct what it says, then the same command again; by hand: ${program} rm --force --volumes ${name}`,
  })
}

/** Ports of this machine's loopback that are free now, one for each that a node serves. */
export async function freePorts(): Promise<string> {
  const servers = await Promise.all(
    served.map(
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer()
          server.on('error', reject).listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => {
    const place = server.address()
    return typeof place === 'object' ? place?.port : undefined
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports.join()
}

/** Where a node's sshd is reached: at the container's own address, else at the port of loopback that leads to it. */
export async function reachedAt(
  program: EngineName,
  { name, address, labels: given }: Container,
  signal?: AbortSignal,
): Promise<Pick<NodeRecord, 'address' | 'port'>> {
  const port = Number(given[labels.ports]?.split(',')[0])
  const patience = { greeting: 'SSH-', signal }
  // The forwarding may accept a connection while nobody is behind it: only the greeting proves a way.
  if (address !== undefined && (await listens(address, 22, { ...patience, timeout: 3_000 }))) return { address }
  if (await listens('127.0.0.1', port, { ...patience, timeout: 30_000 })) return { address: '127.0.0.1', port }
  throw new KraftError({
    kind: 'task',
    message: `No sshd answers at port ${port} of this machine${address === undefined ? '' : ` or at ${address}`}`,
    next: `See what it does: ${program} exec ${name} systemctl status ssh; ${program} logs ${name}`,
  })
}

/** How a node is, by its container. */
export async function containerState(container: Container | undefined, { address, port = 22 }: NodeRecord): Promise<NodeState> {
  if (container === undefined) return 'missing'
  if (!container.running) return 'stopped'
  return (await listens(address, port, { timeout: 0, greeting: 'SSH-' })) ? 'running' : 'starting'
}
