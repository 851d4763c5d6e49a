import { KraftError } from '../engine/errors/failure.js'
import type { Secret } from '../engine/shell/secret.js'
import type { BackupMap, BackupSetting } from './backup-schema.js'
import type { Instance } from './instance.js'
import type { Notification } from './notify.js'
import { settingPlace } from './setting-place.js'
import type { Reference } from './vault.js'

/** How backups of an instance are made, and where to. */
export interface BackupPlan {
  /** As cron writes it, in the node's time zone. */
  readonly schedule: string
  /** Undefined: Amazon's own. */
  readonly endpoint: string | undefined
  readonly region: string
  readonly bucket: string
  /** The folder in the bucket that is this instance's alone. */
  readonly folder: string
  readonly accessKey: string | Reference
  readonly secretKey: Secret | Reference
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
  const { settings, project, environment } = instance
  const { backup } = settings
  if (backup === undefined) return undefined
  const { bucket, access_key: accessKey, secret_key: secretKey, prefix = '' } = backup
  if (bucket === undefined || accessKey === undefined || secretKey === undefined) {
    const missing = [
      bucket === undefined && 'bucket',
      accessKey === undefined && 'access_key',
      secretKey === undefined && 'secret_key',
    ]
    throw new KraftError({
      kind: 'setting',
      place: settingPlace(instance, ['backup'], 'key'),
      message: `"backup" lacks ${missing.filter((key) => key !== false).join(', ')}`,
      next: 'For example: backup: { endpoint: https://s3.example.com, bucket: shop-backups, access_key: …, secret_key: { op: … } }',
    })
  }
  const { daily = 7, weekly = 4, monthly = 6 } = backup.keep ?? {}
  return {
    schedule: backup.schedule ?? '30 3 * * *',
    endpoint: backup.endpoint,
    region: backup.region ?? 'us-east-1',
    bucket,
    // Stage and live may share all of the settings, and neither prunes what is the other's.
    folder: [prefix, project.name, environment ?? '-'].filter((part) => part !== '').join('/'),
    accessKey,
    secretKey,
    keep: { daily, weekly, monthly },
    encrypt: backup.encrypt ?? [],
    notify: backup.notify ?? [],
  }
}
