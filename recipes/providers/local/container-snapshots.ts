import * as v from 'valibot'
import { KraftError } from '../../../engine/errors/failure.js'
import type { Snapshot, Snapshots } from '../../../engine/node/provider.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { containerName, findContainer, labels, removeContainer, runContainer } from './container.js'
import { runProgram } from './program.js'
import { absent, checkSnapshotName, taken } from './snapshot.js'

const inspected = v.array(
  v.object({
    Created: v.string(),
    Size: v.number(),
    Config: v.object({ Labels: v.nullish(v.record(v.string(), v.string()), {}) }),
  }),
)

/** What makes a node of a container again: gives it login and host key, as far as it lacks them. */
type Known = (node: { node: string; user: string; publicKey: string; signal?: AbortSignal }) => Promise<NodeRecord>

/** Snapshots of a container are images of its files, which the engine keeps. */
export function containerSnapshots(program: 'podman' | 'docker', known: Known): Snapshots {
  const repository = (node: string) => `localhost/kraftwerk-snapshot/${node}`

  async function inspect(image: string) {
    const [found] = v.parse(inspected, JSON.parse((await runProgram(program, ['image', 'inspect', image])).stdout))
    if (found !== undefined) return found
    const next = `See what it says: ${program} image inspect ${image}`
    throw new KraftError({ kind: 'task', message: `${program} says nothing of the image ${image}`, next })
  }

  async function list({ name }: NodeRecord): Promise<Snapshot[]> {
    const { stdout } = await runProgram(program, ['images', '--format', '{{.Tag}}', '--filter', `reference=${repository(name)}`])
    const tags = stdout.split('\n').filter((tag) => tag !== '' && tag !== '<none>')
    const all = await Promise.all(
      tags.map(async (tag) => {
        const { Created, Size } = await inspect(`${repository(name)}:${tag}`)
        return { name: tag, time: new Date(Created).toISOString(), size: Size }
      }),
    )
    return all.sort((a, b) => (a.time < b.time ? 1 : -1))
  }

  async function required(record: NodeRecord, name: string): Promise<Snapshot> {
    checkSnapshotName(name)
    const found = (await list(record)).find((each) => each.name === name)
    if (found !== undefined) return found
    const [message, next] = absent(record.name, name)
    throw new KraftError({ kind: 'task', message, next })
  }

  return {
    doc: 'its processes stand still while its files are copied, and go on',
    list,

    async take(record, name, { progress, signal }) {
      checkSnapshotName(name)
      if ((await list(record)).some((each) => each.name === name)) {
        const [message, next] = taken(record.name, name)
        throw new KraftError({ kind: 'task', message, next })
      }
      progress(`Copying what ${record.name} keeps`)
      await runProgram(program, ['commit', '--pause=true', containerName(record.name), `${repository(record.name)}:${name}`], {
        signal,
      })
      return required(record, name)
    },

    async restore(record, name, { progress, signal }) {
      await required(record, name)
      const image = `${repository(record.name)}:${name}`
      const { Config } = await inspect(image)
      const [, publicKey = ''] = /^\S+ (.*)$/.exec(Config.Labels[labels.login] ?? '') ?? []
      progress(`Putting ${name} in the place of the container`)
      const before = await findContainer(program, containerName(record.name))
      const ports = before?.labels[labels.ports] ?? Config.Labels[labels.ports] ?? record.made?.ports ?? ''
      await removeContainer(program, record.name)
      // Whoever is told to stop here would leave the node without a container: again, it is made.
      await runContainer(program, {
        node: record.name,
        image,
        ports,
        labels: { [labels.login]: Config.Labels[labels.login] ?? '' },
      })
      return known({ node: record.name, user: record.user, publicKey, ...(signal === undefined ? {} : { signal }) })
    },

    async forget(record, name) {
      await required(record, name)
      await runProgram(program, ['rmi', '--force', `${repository(record.name)}:${name}`])
    },
  }
}
