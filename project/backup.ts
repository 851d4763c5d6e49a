import type { BackupMap, BackupSetting } from './backup-schema.js'
import type { Instance } from './instance.js'
import type { Notification } from './notify.js'
import { readS3, type S3Place } from './s3.js'

/** How backups of an instance are made, and where to. */
export interface BackupPlan extends S3Place {
  /** As cron writes it, in the node's time zone. */
  readonly schedule: string
  /** How many of the last days, weeks and months that have a backup keep their newest one. */
  readonly keep: { readonly daily: number; readonly weekly: number; readonly monthly: number }
  /** age keys that can read them; none: they are not encrypted. */
  readonly encrypt: readonly string[]
  readonly notify: readonly Notification[]
}

/** What the layers of the settings say together, the strongest last; undefined where no backups are made. */
export function mergeBackup(...layers: readonly (BackupSetting | undefined)[]): BackupMap | undefined {
  let merged: BackupMap | undefined
  for (const layer of layers) {
    if (layer === false) merged = undefined
    else if (layer !== undefined) merged = { ...merged, ...layer, keep: { ...merged?.keep, ...layer.keep } }
  }
  return merged
}

/** The plan of an instance; undefined where it has none. Throws `setting` where something is missing. */
export function readBackup(instance: Instance): BackupPlan | undefined {
  const { backup } = instance.settings
  if (backup === undefined) return undefined
  const place = readS3(instance, 'backup', backup)
  const { daily = 7, weekly = 4, monthly = 6 } = backup.keep ?? {}
  return {
    schedule: backup.schedule ?? '30 3 * * *',
    ...place,
    keep: { daily, weekly, monthly },
    encrypt: backup.encrypt ?? [],
    notify: backup.notify ?? [],
  }
}
