import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explain } from '../engine/errors/explain.js'
import { type Failure, summary } from '../engine/errors/failure.js'
import type { Line } from '../engine/report/report.js'
import { redact } from '../engine/shell/redact.js'
import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { sendStream } from '../engine/transfer/send.js'
import { type Manifest, readManifest } from '../project/manifest.js'
import { backupScript } from '../recipes/backups.js'
import { bundleFolder, discard, receiveBundle } from '../recipes/bundle.js'
import { undoInterrupted } from '../recipes/exchange.js'
import { loadBeside } from '../recipes/load-beside.js'
import { readyToLoad } from '../recipes/ready-to-load.js'
import { releaseId } from '../recipes/release.js'
import { roomFor } from '../recipes/room.js'
import { type Fetch, fetchBackup, requireIdentity } from './backup-fetch.js'
import { bundleSource } from './bundle-source.js'
import { dataServices } from './data-services.js'
import { holdLock } from './hold-lock.js'
import { thenTidy } from './then-tidy.js'

/**
 * Loads a backup beside the live data as a load would, compares what is there with the manifest, and removes it again. How it went is
 * kept on the node. Nothing live is touched.
 */
export async function drillBackup(
  given: Fetch & { readonly identity: string | undefined },
  session: Session,
  line: Line,
): Promise<Result> {
  const { node, instance, backup, identity } = given
  const { dryRun } = session.flags
  if (!dryRun) requireIdentity(backup, identity)
  // Called as those of a load are, which the next load clears away.
  const id = `load-${releaseId(new Date())}`
  const services = await dataServices(instance, [])
  const apply = (title: string, steps: readonly Step[]) =>
    line.list([{ title, run: async (own) => void (await node.apply(title, steps, own)) }])
  if (dryRun)
    return new Result(`Would load backup ${backup.id} beside the live data of ${instance.name}, and remove it again`, {
      id: backup.id,
    })
  const note = (result: object) => apply('Note how it went', noted(instance, { id: backup.id, ...result }))
  const lock = await holdLock(session, node, instance.name, line)
  const drill = async () => {
    try {
      // Before any of it comes: a disk that is full is so for what is live as well.
      await apply('Check the node', [
        ...undoInterrupted(instance),
        ...roomFor(instance, { members: [{ size: backup.size }] }),
        ...readyToLoad(
          instance,
          services.filter(({ service }) => backup.services.includes(service.name)),
        ),
      ])
      const manifest = await (backup.encrypted ? sent() : unpacked())
      const both = services.filter(({ service }) => manifest.members.some((member) => member.service === service.name))
      const { begin, wait } = loadBeside(instance, both, { id, manifest, goes: true })
      await apply('Load beside the live data', [...begin, ...wait])
      await note({ ok: true })
      const members = manifest.members.map(({ service, counts }) => ({ service, counts }))
      const rows = both.map(({ service }) => {
        const counts = Object.keys(members.find((member) => member.service === service.name)?.counts ?? {}).length
        return `  ${service.name}: ${counts} ${counts === 1 ? 'count' : 'counts'} as in the manifest`
      })
      return new Result(
        [`Backup ${backup.id} of ${manifest.time} loads, and all that it should hold is there:`, ...rows].join('\n'),
        {
          id: backup.id,
          ok: true,
          members,
        },
      )
    } catch (error) {
      const failure = explain(error)?.failure
      if (failure?.kind !== 'interrupted') await note({ ok: false, reason: redact(reasonOf(failure) ?? String(error)) })
      throw error
    }
  }
  try {
    return await thenTidy(drill, () => apply('Tidy up', discard(instance, id, services)))
  } finally {
    await lock.release()
  }

  async function unpacked(): Promise<Manifest> {
    const folder = bundleFolder(instance, id)
    await apply('Fetch it from S3', [
      { title: `Fetch backup ${backup.id}`, quiet: true, apply: backupScript(instance, 'unpack', backup.id, folder) },
    ])
    return readManifest(`backup ${backup.id}`, await node.read(sh`cat ${folder}/manifest.json`.text))
  }

  async function sent(): Promise<Manifest> {
    const folder = await mkdtemp(join(tmpdir(), 'kraft-drill-'))
    try {
      const file = join(folder, 'backup.bundle')
      await line.list([{ title: 'Fetch', run: async (own) => void (await fetchBackup(given, file, own)) }])
      const source = await bundleSource(file, session, { identity })
      await sendStream(node.connection, source.open, node.asRoot(receiveBundle(instance, id).text))
      await source.prove()
      return source.manifest
    } finally {
      await rm(folder, { recursive: true })
    }
  }
}

function noted(place: Fetch['instance'], result: object): readonly Step[] {
  return [
    {
      title: 'Note how the drill went',
      quiet: true,
      files: { result: JSON.stringify(result) },
      apply: sh`${backupScript(place, 'drilled')} <"$KRAFT_STEP/result"`,
    },
  ]
}

// What a step said last says more than that it failed.
function reasonOf(failure: Failure | undefined): string | undefined {
  if (failure === undefined) return undefined
  const said = failure.kind === 'step' ? failure.output.trim().split('\n').at(-1) : undefined
  return said === undefined || said === '' ? summary(failure) : said
}
