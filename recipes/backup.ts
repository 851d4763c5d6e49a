import type { Node } from '../engine/node/node.js'
import { type Secret, secret } from '../engine/shell/secret.js'
import { sh } from '../engine/shell/sh.js'
import type { Handler, Step } from '../engine/step/step.js'
import type { BackupPlan } from '../project/backup.js'
import { calendarOf, longestGap } from '../project/calendar.js'
import { enterScript, type Instance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { apt } from './apt.js'
import { bundleFolder, type DataService, describeMembers, dumpMembers, streamBundle } from './bundle.js'
import { metLoad } from './exchange.js'
import { absent, directory, file } from './file.js'
import { serves } from './followers.js'
import { readableAccess, type S3Access, s3Access, s3Scripts } from './s3.js'
import { running } from './systemd.js'
import { template } from './template.js'

/** What a node needs to make backups by itself. */
export interface NodeBackup {
  readonly plan: BackupPlan
  /** Undefined where a dry run has not fetched them. */
  readonly keys: S3Access | undefined
  readonly services: readonly DataService[]
  /** What the manifests say. */
  readonly about: {
    readonly kraft: string
    readonly project: string
    readonly environment: string | null
    readonly instance: string
  }
}

/** What an instance's backups are made with; what is in vaults is fetched, but not by a dry run. Throws `task` where it can't be had. */
export async function nodeBackup(
  instance: Instance,
  plan: BackupPlan,
  services: readonly DataService[],
  { version, dryRun }: { readonly version: string; readonly dryRun: boolean },
): Promise<NodeBackup> {
  const { project, environment, name } = instance
  const keys = await s3Access(instance, 'backup', plan, dryRun)
  return {
    plan,
    keys,
    services,
    about: { kraft: version, project: project.name, environment: environment ?? null, instance: name },
  }
}

/** Whether a node makes the backups of an instance: the one that holds its data. */
export function makesBackups({ settings }: Instance, node: Node): boolean {
  const first = settings.nodes.find(({ roles }) => roles === undefined || roles.includes('web'))
  return first === undefined ? serves(node) : first.name === node.name
}

/** The unit that makes a backup; its timer starts it, and `kraft backups:TARGET run`. */
export function backupUnit({ name }: Place): string {
  return `kraft-backup@${name}.service`
}

const scripts = ['backup.py', 'bucket.py', 'bundle.py', 'keep.py', 'notice.py']
const jobs = ['backup', 'check'] as const
const units = '/etc/systemd/system'
const unitOf = (job: (typeof jobs)[number]) => (job === 'backup' ? 'kraft-backup' : 'kraft-backup-check')
const timerOf = ({ name }: Place, job: (typeof jobs)[number]) => `${unitOf(job)}@${name}.timer`

/** Backups that the node makes by itself, with no client; without a plan none are made any more, and what is in S3 stays. */
export function backup(place: Place, given: NodeBackup | undefined): readonly Step[] {
  if (given === undefined) return noBackup(place)
  const { plan, keys } = given
  const folder = layout.backup(place)
  const calendar = calendarOf(plan.schedule)
  return [
    ...apt('python3-boto3', ...(plan.encrypt.length === 0 ? [] : ['age'])),
    ...directory({ path: folder, mode: '0700' }),
    {
      title: 'Since when backups are made',
      check: sh`test -e ${`${folder}/since`}`,
      apply: sh`
        umask 077
        date +%s >${`${folder}/since`}
      `,
    },
    ...s3Scripts(folder),
    ...scripts.flatMap((script) => template(`backup/${script}`, { to: `${folder}/${script}`, mode: '0600' })),
    ...file({ path: `${folder}/settings.json`, content: json(settingsOf(place, given)), mode: '0600' }),
    ...(keys === undefined ? [] : file({ path: `${folder}/secrets.json`, content: secretsOf(plan, keys), mode: '0600' })),
    ...jobs.flatMap((job) => [
      ...template(`backup/${job}.service`, {
        to: `${units}/${unitOf(job)}@.service`,
        vars: { script: `${layout.backup({ name: '%i', home: '' })}/backup.py` },
        notify: [reloadUnits],
      }),
      ...template(`backup/${job}.timer`, {
        to: `${units}/${timerOf(place, job)}`,
        vars: { place, calendar },
        notify: [reloadUnits],
      }),
      ...running(timerOf(place, job)),
    ]),
  ]
}

/** No backups of an instance: timers and scripts go, and the credentials. */
export function noBackup(place: Place): readonly Step[] {
  const timers = jobs.map((job) => timerOf(place, job))
  const paths = timers.map((timer) => `${units}/${timer}`)
  return [
    {
      title: `No timers for backups of ${place.name}`,
      check: sh`for path in ${paths}; do test ! -e "$path"; done`,
      apply: sh`
        for timer in ${timers}; do
          if [ -e ${units}/"$timer" ]; then systemctl disable --quiet --now "$timer"; fi
        done
        systemctl stop ${jobs.map((job) => `${unitOf(job)}@${place.name}.service`)}
        # Set up once more, it has nothing to make up for.
        rm -f ${paths} ${timers.map((timer) => `/var/lib/systemd/timers/stamp-${timer}`)}
        # The last one takes the units with it.
        for other in ${`${units}/kraft-backup@`}*.timer; do
          if [ -e "$other" ]; then other=; break; fi
        done
        if [ -n "$other" ]; then rm -f ${jobs.map((job) => `${units}/${unitOf(job)}@.service`)}; fi
        systemctl daemon-reload
      `,
    },
    ...absent(layout.backup(place)),
  ]
}

const reloadUnits: Handler = { name: 'reload-units', apply: sh`systemctl daemon-reload` }

// A backup that has begun may take its time.
const patience = 6 * 3600
// Nobody waits for it, so it waits for a load that is cut off until somebody has put that right.
const loadPatience = 600

function settingsOf(place: Place, { plan, services, about }: NodeBackup) {
  const { endpoint = null, region, bucket, folder, keep, encrypt, schedule } = plan
  const id = 'backup'
  return {
    about,
    s3: { endpoint, region, bucket, folder },
    keep,
    recipients: encrypt,
    overdue: longestGap(schedule) + patience,
    current: layout.current(place),
    enter: enterScript(place.name),
    // The very scripts of `kraft dump`.
    dump: {
      folder: bundleFolder(place, id),
      met_load: metLoad,
      patience: loadPatience,
      steps: dumpMembers(place, id, services).map(({ title, files = {}, apply }) => ({ title, files, apply: apply.text })),
      describe: describeMembers(place, id, services).text,
      stream: streamBundle(place, id, services).text,
    },
  }
}

function secretsOf({ notify }: BackupPlan, keys: S3Access): Secret {
  return secret(json({ ...readableAccess(keys), notify }), 'backup')
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
