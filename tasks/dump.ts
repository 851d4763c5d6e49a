import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { PassThrough, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isKraftError, KraftError } from '../engine/errors/failure.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { task } from '../engine/task/task.js'
import { Meter } from '../engine/transfer/meter.js'
import { receiveStream } from '../engine/transfer/receive.js'
import { passBundle, proveBundle } from '../project/bundle.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { bundleSize, type Manifest } from '../project/manifest.js'
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
  examples: [
    'kraft dump:live',
    'kraft dump:live before.bundle --only postgres',
    'kraft dump:live - | ssh backup "cat >shop.bundle"',
  ],
  options: {
    file: option({ type: 'string', positional: true, help: 'the file (default: NAME-TIME.bundle); - writes to stdout' }),
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
    const isPiped = options.file === '-'
    if (isPiped) refuseTerminal(session)
    const file = isPiped ? 'stdout' : resolve(session.folder, options.file ?? `${instance.name}-${id}.bundle`)
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
    const bytes = bundleSize(members)
    await line.list([
      {
        title: `Fetch ${Math.ceil(bytes / 1024)} KiB`,
        run: async (own) => {
          const fetch = (sink: Writable) =>
            receiveStream(
              node.connection,
              node.asRoot(streamBundle(instance, id, services).text),
              `${JSON.stringify(manifest, null, 2)}\n`,
              sink,
              new Meter(own, bytes).count,
            )
          await (isPiped ? toStdout(fetch) : toFile(file, fetch))
        },
      },
    ])
    if (isPiped) return undefined
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

// Data of people: nobody else on this machine reads it.
async function toFile(file: string, fetch: (sink: Writable) => Promise<void>): Promise<void> {
  try {
    await fetch(createWriteStream(`${file}.part`, { mode: 0o600 }))
    await proveBundle(`${file}.part`)
    await rename(`${file}.part`, file)
  } catch (error) {
    await rm(`${file}.part`, { force: true })
    throw error
  }
}

// What is wrong there never gets its end, so that whoever reads it sees that it is no whole bundle.
async function toStdout(fetch: (sink: Writable) => Promise<void>): Promise<void> {
  const through = new PassThrough()
  const { stream, proven } = await passBundle(through, 'what the node sent')
  const written = pipeline(stream, process.stdout, { end: false })
  written.catch((error: unknown) => through.destroy(error instanceof Error ? error : undefined))
  const [fetched, out, whole] = await Promise.allSettled([fetch(through), written, proven])
  // What was written failed with what the node sent, unless it is the other side that failed; why it sent that says most.
  if (out.status === 'rejected' && !isKraftError(out.reason)) {
    throw new KraftError({ kind: 'task', message: 'whoever was to get the bundle took no more of it' }, out.reason)
  }
  for (const each of [fetched, whole]) if (each.status === 'rejected') throw each.reason
}

function refuseTerminal({ flags }: Session): void {
  if (flags.json) {
    throw new KraftError({
      kind: 'usage',
      message: 'stdout takes the bundle or --json, not both',
      next: 'Name a file: kraft dump:TARGET FILE --json',
    })
  }
  if (process.stdout.isTTY !== true || flags.dryRun) return
  throw new KraftError({
    kind: 'usage',
    message: 'A bundle is nothing for a terminal',
    next: 'Pipe it on, as in: kraft dump:live - | kraft load:stage - --yes',
  })
}
