import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { Meter } from '../engine/transfer/meter.js'
import { receiveStream } from '../engine/transfer/receive.js'
import { type Manifest, proveBundle } from '../project/bundle.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { usedServices } from '../recipes/application.js'
import { type DataService, describeMembers, dumpMembers, readMembers, streamBundle } from '../recipes/bundle.js'
import { kindNames } from '../recipes/kinds.js'
import { releaseId } from '../recipes/release.js'
import { currentRelease } from './current-release.js'
import { firstWebNode } from './first-node.js'

/** Writes all data of the instance to one file here, and proves it. */
export const dump = task({
  on: 'once',
  connection: 'new',
  needs: 'instance',
  group: 'Data',
  help: 'write all data of the instance to one file here, and prove it',
  examples: ['kraft dump:live', 'kraft dump:live before.bundle --only postgres'],
  options: {
    file: option({ type: 'string', positional: true, help: 'the file (default: NAME-TIME.bundle)' }),
    only: option({
      type: 'string',
      many: true,
      choicesFrom: () => kindNames('services'),
      help: 'a service; the others are left out',
    }),
  },
  async run({ target, session, options, line }) {
    const instance = requireInstance(target)
    const node = firstWebNode(target)
    const services = await dataServices(instance, options.only)
    const id = releaseId(new Date())
    const file = resolve(session.folder, options.file ?? `${instance.name}-${id}.bundle`)
    const release = await currentRelease(node, instance)
    await line.list([
      { title: 'Dump', run: async (own) => void (await node.apply('Dump', dumpMembers(instance, id, services), own)) },
    ])
    if (session.flags.dryRun) {
      const names = services.map(({ service }) => service.name)
      return new Result(`Would write ${names.join(', ')} of ${instance.name} on ${node.name} to ${file}`, {
        file,
        services: names,
      })
    }
    const members = readMembers(await node.read(describeMembers(instance, id, services).text))
    const manifest: Manifest = {
      format: 'kraftwerk bundle',
      version: 1,
      kraft: session.version,
      project: instance.project.name,
      environment: instance.environment ?? null,
      instance: instance.name,
      release,
      time: new Date().toISOString(),
      members,
    }
    const bytes = members.reduce((sum, { size }) => sum + size, 0)
    await line.list([
      {
        title: `Fetch ${Math.ceil(bytes / 1024)} KiB`,
        run: async (own) => {
          try {
            // Data of people: nobody else on this machine reads it.
            const sink = createWriteStream(`${file}.part`, { mode: 0o600 })
            const command = node.asRoot(streamBundle(instance, id, services).text)
            await receiveStream(
              node.connection,
              command,
              `${JSON.stringify(manifest, null, 2)}\n`,
              sink,
              new Meter(own, bytes).count,
            )
            await proveBundle(`${file}.part`)
            await rename(`${file}.part`, file)
          } catch (error) {
            await rm(`${file}.part`, { force: true })
            throw error
          }
        },
      },
    ])
    return new Result(
      `${file}\n${members.map(({ service, size }) => `  ${service}: ${Math.ceil(size / 1024)} KiB`).join('\n')}`,
      { file, manifest },
    )
  },
})

/** The services of an instance that have data, or those of them that were named. Throws `usage` where nothing is left. */
export async function dataServices(instance: Instance, only: readonly string[]): Promise<readonly DataService[]> {
  const all = (await usedServices(instance)).flatMap(({ service }) =>
    service.data === undefined ? [] : [{ service, data: service.data }],
  )
  const names = all.map(({ service }) => service.name)
  const unknown = only.find((name) => !names.includes(name))
  const chosen = only.length === 0 ? all : all.filter(({ service }) => only.includes(service.name))
  if (unknown === undefined && chosen.length > 0) return chosen
  throw new KraftError({
    kind: 'usage',
    message:
      unknown === undefined
        ? `${instance.name} has no service with data`
        : `${instance.name} has no service "${unknown}" with data`,
    next:
      names.length === 0 ? 'Add one to kraftwerk.yaml, for example: services: [postgres, files]' : `It has ${names.join(', ')}`,
  })
}
