import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { size as inUnits } from '../engine/report/progress-text.js'
import { sh } from '../engine/shell/sh.js'
import type { TargetContext } from '../engine/task/context.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { backupUnit } from '../recipes/backup.js'
import { type Backup, backupScript, describeBackups } from '../recipes/backups.js'
import { kindNames } from '../recipes/kinds.js'
import { drillBackup } from './backup-drill.js'
import { fetchBackup, requireIdentity } from './backup-fetch.js'
import { backupState, chooseBackup, listBackups } from './backup-script.js'
import { columns } from './columns.js'
import { confirmLoss, requireAnswer } from './confirm.js'
import { firstWebNode } from './first-node.js'
import { requireOwner } from './require-owner.js'
import { requireWritable } from './require-writable.js'

/** Lists the backups that the node makes by itself, and works on any of them. */
export const backups = task({
  on: 'once',
  connection: 'new',
  needs: 'instance',
  group: 'Data',
  help: 'list the backups in S3; make, fetch, restore, try or delete one\nThe node makes them by itself, as backup: in kraftwerk.yaml says.',
  destructive: true,
  changes:
    'list and fetch: nothing; run and delete: what is in S3; drill loads beside the live data and removes it again; restore: as load',
  examples: [
    'kraft backups:live',
    'kraft backups:live run',
    'kraft backups:live fetch newest shop.bundle',
    'kraft backups:live restore 20261128-033000',
    'kraft backups:live drill',
    'kraft backups:live delete 20261128-033000',
  ],
  options: {
    verb: option({
      type: 'string',
      positional: true,
      choices: ['list', 'run', 'fetch', 'restore', 'drill', 'delete'],
      default: 'list',
      help: 'what to do',
    }),
    id: option({ type: 'string', positional: true, help: 'the backup, or newest (the default of drill)' }),
    file: option({ type: 'string', positional: true, help: 'fetch: the file (default: NAME-ID.bundle)' }),
    identity: option({
      type: 'string',
      verbs: ['fetch', 'restore', 'drill'],
      help: 'a file with the age key that opens an encrypted one; it stays on this machine',
    }),
    only: option({
      type: 'string',
      many: true,
      choicesFrom: () => kindNames('services'),
      verbs: ['restore'],
      help: 'a service; the others are left as they are',
    }),
  },
  async run(context) {
    const { target, session, options, line } = context
    const { verb } = options
    const instance = requireInstance(target)
    const node = firstWebNode(target)
    if (instance.settings.backup === undefined) {
      return new Result(`No backups are made of ${instance.name}: kraftwerk.yaml has no backup:`, verb === 'list' ? [] : null)
    }
    if (verb === 'restore' || verb === 'delete') requireAnswer(session, `backups ${verb}`)
    await requireOwner(node, instance, 'Nothing was done. Call kraft in that project')
    const before = await backupState(node, instance, target.word)
    if (verb === 'run') return makeOne(context, instance)
    const all = await listBackups(node, instance)
    if (verb === 'list') {
      const text = [describeBackups(before, target.word), ...(all.length === 0 ? [] : [table(all)])].join('\n')
      return new Result(text, all)
    }
    const backup = chooseBackup(all, options.id ?? (verb === 'drill' ? 'newest' : undefined), verb, target.word)
    const given = { node, instance, backup, identity: options.identity && resolve(session.folder, options.identity) }
    if (verb === 'drill') return drillBackup(given, session, line)
    if (verb === 'restore') return restore(context, given)
    if (verb === 'delete') {
      await confirmLoss(
        session,
        `Delete backup ${backup.id} of ${instance.name}?`,
        instance.settings.live ? instance.project.name : undefined,
      )
      const step = { title: `Delete backup ${backup.id}`, apply: backupScript(instance, 'delete', backup.id) }
      await line.list([{ title: step.title, run: async (own) => void (await node.apply(step.title, [step], own)) }])
      return new Result(`${session.flags.dryRun ? 'Would delete' : 'Deleted'} backup ${backup.id}`, { id: backup.id })
    }
    const open = !backup.encrypted || options.identity !== undefined
    const file = resolve(session.folder, options.file ?? `${instance.name}-${backup.id}.bundle${open ? '' : '.age'}`)
    await requireWritable(file)
    if (session.flags.dryRun) return new Result(`Would fetch backup ${backup.id} to ${file}`, { file })
    await line.list([{ title: 'Fetch', run: async (own) => void (await fetchBackup(given, file, own, given.identity)) }])
    const text = open ? file : `${file}\nIt is encrypted: kraft load takes it with --identity, and age --decrypt opens it`
    return new Result(text, { file, encrypted: !open })
  },
})

type Context = TargetContext<{ readonly only: readonly string[] }>

/** By the very unit that the timer starts; one that runs already is waited for. */
async function makeOne({ target, session, line }: Context, instance: Instance): Promise<Result> {
  const node = firstWebNode(target)
  const unit = backupUnit(instance)
  const step = {
    title: 'Make a backup',
    apply: sh`
      if ! systemctl start ${unit} 2>/dev/null; then
        ${backupScript(instance, 'why')}
        exit 1
      fi
    `,
  }
  await line.list([{ title: step.title, run: async (own) => void (await node.apply(step.title, [step], own)) }])
  if (session.flags.dryRun) return new Result(`Would make a backup of ${instance.name} on ${node.name}`, null)
  const { success } = await backupState(node, instance, target.word)
  return new Result(`Backup ${success?.id} of ${instance.name} is in S3: ${inUnits(success?.size ?? 0)}`, success)
}

async function restore(
  { target, session, options, line, call }: Context,
  given: Parameters<typeof drillBackup>[0],
): Promise<Result> {
  const { backup, instance, identity } = given
  if (session.flags.dryRun) {
    const text = `Would fetch backup ${backup.id} and put its data in the place of ${backup.services.join(' and ')} of ${instance.name}`
    return new Result(text, { id: backup.id })
  }
  requireIdentity(backup, identity)
  const folder = await mkdtemp(join(tmpdir(), 'kraft-restore-'))
  const tidy = () => rm(folder, { recursive: true, force: true })
  session.onEnd(tidy)
  try {
    const file = join(folder, `${instance.name}-${backup.id}.bundle`)
    // An encrypted one is opened by the load.
    await line.list([{ title: 'Fetch', run: async (own) => void (await fetchBackup(given, file, own)) }])
    await call(await session.task('load'), { file, only: options.only, identity })
  } finally {
    await tidy()
  }
  return new Result(`${instance.name} on ${target.word} has the data of backup ${backup.id}`, { id: backup.id })
}

function table(all: readonly Backup[]): string {
  return columns([
    ['ID', 'TIME', 'SIZE', 'RELEASE', 'SERVICES', ''],
    ...all.map(({ id, time, size, release, services, encrypted, whole }) => [
      id,
      time.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC'),
      inUnits(size),
      release,
      services.join(' '),
      [encrypted ? 'encrypted' : '', whole ? '' : 'NOT WHOLE in S3'].filter((word) => word !== '').join(', '),
    ]),
  ])
}
