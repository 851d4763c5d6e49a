import { KraftError } from '../../../engine/errors/failure.js'
import type { Listed, NodeWork } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { lines, sh } from '../../../engine/shell/sh.js'
import {
  containerName,
  containerState,
  findContainer,
  freePorts,
  labels,
  reachedAt,
  removeContainer,
  runContainer,
} from './container.js'
import { containerImage } from './container-image.js'
import { containerSnapshots } from './container-snapshots.js'
import type { Engine, Wish } from './engine.js'
import { loginOf, sudoer } from './files.js'
import { checkName } from './names.js'
import { runProgram } from './program.js'

const asks = {
  podman: ['info', '--format', '{{.Host.Security.Rootless}} {{.Host.CgroupsVersion}}'],
  docker: ['version'],
} as const

/** Why containers would not hold systemd, by whether podman is rootless and the version of cgroup: `true v1`; undefined: they do. */
export function whyNoSystemd(said: string): string | undefined {
  if (said.trim() !== 'true v1') return undefined
  // Nobody but root may give systemd a cgroup of its own there: it would end at once, without a word.
  return 'without root it needs cgroup v2, and this machine has v1'
}

/** Podman or Docker: the same kind of node where systemd-nspawn can't be had, without root, on macOS. */
export function containerEngine(name: 'podman' | 'docker'): Engine {
  async function create({ name: node, image, user, publicKey, progress, signal }: Wish): Promise<NodeRecord> {
    checkName(node)
    const login = loginOf(user, publicKey)
    const found = await findContainer(name, containerName(node))
    if (found !== undefined && found.labels[labels.login] !== login) {
      throw new KraftError({
        kind: 'task',
        message: `A container ${containerName(node)} exists that was not made for this node with this key and user`,
        next: 'Take another name, or terminate that node first.',
      })
    }
    try {
      if (found === undefined) {
        const from = await containerImage(name, image, progress, signal)
        await runContainer(name, { node, image: from, ports: await freePorts(), labels: { [labels.login]: login } })
      } else if (!found.running) await runProgram(name, ['start', found.name])
      return await known({ node, user, publicKey, signal })
    } catch (error) {
      if (found === undefined) {
        progress(`Undoing the local node ${node}`)
        // The first failure is the one to report.
        await removeContainer(name, node).catch((failure: unknown) => progress(String(failure)))
      }
      throw error
    }
  }

  /** Gives the node its login and its host key over the engine's own channel, and says how it is to be remembered. */
  async function known({ node, user, publicKey, signal }: Pick<Wish, 'user' | 'publicKey' | 'signal'> & { node: string }) {
    const key = publicKey.trim()
    const script = lines(
      sh`
        for try in $(seq 600); do
          case $(systemctl is-system-running 2>/dev/null || :) in running | degraded) break ;; esac
          sleep 0.1
        done
        [ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -N '' -C root@${node} -t ed25519 -f /etc/ssh/ssh_host_ed25519_key
        install -d -m 700 /root/.ssh
        grep -qxF -e ${key} /root/.ssh/authorized_keys 2>/dev/null || echo ${key} >>/root/.ssh/authorized_keys
        chmod 600 /root/.ssh/authorized_keys`,
      user === 'root' ? undefined : sudoer('/', user),
      sh`
        systemctl is-active -q ssh || { systemctl reset-failed ssh 2>/dev/null || :; systemctl start ssh; }
        cat /etc/ssh/ssh_host_ed25519_key.pub`,
    )
    const { stdout } = await runProgram(name, ['exec', '--interactive', containerName(node), 'sh', '-es'], {
      input: script.text,
      signal,
    })
    const container = await findContainer(name, containerName(node))
    if (container === undefined) {
      const next = `Something else removed it. Make it anew: kraft provision ${node}`
      throw new KraftError({ kind: 'task', node, message: 'its container is gone', next })
    }
    const [hostKey = ''] = stdout.trim().split('\n').slice(-1)
    return {
      name: node,
      provider: 'local',
      id: container.name,
      ...(await reachedAt(name, container, signal)),
      user,
      host_keys: [hostKey.split(' ').slice(0, 2).join(' ')],
      made: { engine: name, ports: container.labels[labels.ports] ?? '' },
    }
  }

  async function start(record: NodeRecord, { signal }: NodeWork): Promise<NodeRecord> {
    const id = containerName(record.name)
    if ((await findContainer(name, id)) === undefined) {
      throw new KraftError({
        kind: 'task',
        node: record.name,
        message: `its container ${id} is gone`,
        next: `Put it back with kraft restore:${record.name} if it has a snapshot, or forget it: kraft terminate:${record.name}`,
      })
    }
    await runProgram(name, ['start', id], { signal })
    const container = await findContainer(name, id)
    if (container === undefined) return record
    const { port: _, ...rest } = record
    return { ...rest, ...(await reachedAt(name, container, signal)) }
  }

  async function list(): Promise<readonly Listed[]> {
    const { stdout } = await runProgram(name, ['ps', '--all', '--filter', `label=${labels.node}`, '--format', '{{.Names}}'])
    const names = stdout.split('\n').filter((each) => each !== '')
    const found = await Promise.all(names.map((each) => findContainer(name, each)))
    return found.flatMap((each) => (each === undefined ? [] : [listed(each.name, each)]))
  }

  const listed = (
    id: string,
    { labels: given, running, address }: NonNullable<Awaited<ReturnType<typeof findContainer>>>,
  ): Listed => ({
    name: given[labels.node] ?? id,
    id,
    state: running ? 'running' : 'stopped',
    ...(address === undefined ? {} : { address }),
  })

  const snapshots = containerSnapshots(name, known)

  return {
    name,
    async unable() {
      const { code, stdout, stderr } = await runProgram(name, [...asks[name]], { anyCode: true })
      if (code === 0) return whyNoSystemd(stdout)
      return code === 127 ? `${name} is not installed` : (stderr.trim().split('\n').at(-1) ?? `${name} does not answer`)
    },
    create,
    start,
    describe: async (record) => containerState(await findContainer(name, containerName(record.name)), record),
    async destroy(record, _settings, progress) {
      progress(`Removing the container ${containerName(record.name)}`)
      await removeContainer(name, record.name)
      for (const each of await snapshots.list(record, {})) await snapshots.forget(record, each.name, { settings: {}, progress })
    },
    list,
    snapshots,
  }
}
