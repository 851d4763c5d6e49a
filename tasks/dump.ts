import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { PassThrough, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isKraftError, KraftError } from '../engine/errors/failure.js'
import { size } from '../engine/report/progress-text.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { task } from '../engine/task/task.js'
import { passBundle } from '../project/bundle.js'
import { encrypted, requireRecipients } from '../project/encryption.js'
import { requireInstance } from '../project/instance.js'
import type { Manifest } from '../project/manifest.js'
import { kindNames } from '../recipes/kinds.js'
import { releaseId } from '../recipes/release.js'
import { collect } from './collect.js'
import { dataServices } from './data-services.js'
import { firstWebNode } from './first-node.js'
import { freezeOf } from './freeze-of.js'
import { afterDump } from './next-command.js'
import { requireWritable } from './require-writable.js'

/** Writes all data of the instance to one file here, and proves it. */
export const dump = task({
  on: 'once',
  connection: 'new',
  needs: 'instance',
  group: 'Data',
  meantBy: ['export'],
  help: 'write all data of the instance to one file here, and prove it',
  changes: 'nothing; --on-node keeps a bundle there, --freeze holds all that writes meanwhile',
  examples: [
    'kraft dump:live',
    'kraft dump:live before.bundle --only postgres',
    'kraft dump:live - | ssh backup "cat >shop.bundle"',
    'kraft dump:live --on-node',
  ],
  options: {
    file: option({ type: 'string', positional: true, help: 'the file (default: NAME-TIME.bundle); - writes to stdout' }),
    only: option({
      type: 'string',
      many: true,
      choicesFrom: () => kindNames('services'),
      help: 'a service; the others are left out',
    }),
    recipient: option({ type: 'string', many: true, help: 'encrypt it to this age key (age1…)' }),
    onNode: option({ type: 'boolean', help: 'leave the bundle on the node, for load --on-node; nothing is fetched' }),
    freeze: option({ type: 'boolean', help: 'hold all that writes meanwhile, so that services agree; visitors wait that long' }),
  },
  async run({ target, session, options, line }) {
    const instance = requireInstance(target)
    const node = firstWebNode(target)
    await requireRecipients(options.recipient)
    const services = await dataServices(instance, options.only)
    if (options.onNode) refuseFetch(options)
    const isPiped = options.file === '-'
    if (isPiped) refuseTerminal(session)
    const file = isPiped
      ? 'stdout'
      : resolve(
          session.folder,
          options.file ?? `${instance.name}-${releaseId(new Date())}.bundle${options.recipient.length === 0 ? '' : '.age'}`,
        )
    if (!isPiped && !options.onNode) await requireWritable(file)
    const frozen = freezeOf(instance, options.freeze)
    const collected = await collect({ node, instance, services, frozen, stays: options.onNode }, session, line)
    if (collected === undefined) {
      const names = services.map(({ service }) => service.name)
      const into = options.onNode ? 'a bundle there' : file
      return new Result(`Would write ${names.join(', ')} of ${instance.name} on ${node.name} to ${into}`, {
        file: options.onNode ? null : file,
        services: names,
      })
    }
    const { manifest, title, fetch, stay } = collected
    if (options.onNode) {
      const path = await stay()
      const name = basename(path, '.bundle')
      return new Result(
        `${path} on ${node.name}\n${contents(manifest)}\nTo load it: kraft load:${target.word} --on-node ${name}`,
        { node: node.name, path, name, manifest },
      )
    }
    await line.list([
      {
        title,
        run: async (own) => {
          const into = (sink: Writable) => fetch(sink, own)
          await (isPiped
            ? proven(into, process.stdout, options.recipient, { end: false })
            : toFile(file, into, options.recipient))
        },
      },
    ])
    if (isPiped) return undefined
    return new Result(`${file}\n${contents(manifest)}`, { file, manifest }, afterDump(instance, file))
  },
})

function contents({ members }: Manifest): string {
  return members.map(({ service, size: bytes }) => `  ${service}: ${size(bytes)}`).join('\n')
}

function refuseFetch({ file, recipient }: { readonly file?: string | undefined; readonly recipient: readonly string[] }): void {
  const what = file !== undefined ? 'FILE' : recipient.length > 0 ? '--recipient' : undefined
  if (what === undefined) return
  throw new KraftError({
    kind: 'usage',
    message: `--on-node fetches nothing, so ${what} has no meaning with it`,
    next: 'Leave one of the two out',
  })
}

// Bytes: what comes in small pieces is written in large ones.
const atOnce = 1024 ** 2

// Data of people: nobody else on this machine reads it.
async function toFile(file: string, fetch: (sink: Writable) => Promise<void>, recipients: readonly string[]): Promise<void> {
  const part = `${file}.part`
  try {
    await proven(fetch, createWriteStream(part, { mode: 0o600, highWaterMark: atOnce }), recipients)
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

// What is wrong there never gets its end, so that whoever reads it sees that it is no whole bundle.
async function proven(
  fetch: (sink: Writable) => Promise<void>,
  sink: Writable,
  recipients: readonly string[],
  options: { readonly end?: boolean } = {},
): Promise<void> {
  const through = new PassThrough()
  const { stream, proven: all } = await passBundle(through, 'what the node sent')
  const out = recipients.length === 0 ? stream : await encrypted(stream, recipients)
  const written = pipeline(out, sink, options)
  written.catch((error: unknown) => through.destroy(error instanceof Error ? error : undefined))
  const [fetched, taken, whole] = await Promise.allSettled([fetch(through), written, all])
  // What was written failed with what the node sent, unless it is the other side that failed; why it sent that says most.
  if (taken.status === 'rejected' && !isKraftError(taken.reason)) {
    throw notTaken(taken.reason, options.end !== false)
  }
  for (const each of [fetched, whole, taken]) if (each.status === 'rejected') throw each.reason
}

function notTaken(cause: unknown, isFile: boolean): KraftError {
  if (!isFile) return new KraftError({ kind: 'task', message: 'whoever was to get the bundle took no more of it' }, cause)
  const why = cause instanceof Error ? cause.message : String(cause)
  return new KraftError(
    { kind: 'task', message: `the bundle could not be written here: ${why}`, next: 'Make room, or name a file elsewhere' },
    cause,
  )
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
