import * as v from 'valibot'
import { notificationsOf } from './notify.js'
import { scheduleSchema } from './program-keys.js'
import { type S3Map, s3Entries, s3Keys } from './s3-schema.js'

const keys = ['schedule', ...s3Keys, 'keep', 'encrypt', 'notify'] as const

const schedule = v.pipe(
  scheduleSchema,
  v.check((value) => !/^@reboot$/i.test(value), 'a schedule with times: a backup comes at set times, not with a reboot'),
)
const many = v.pipe(v.number(), v.integer('a whole number'), v.minValue(0, 'at least 0'), v.maxValue(1000, 'at most 1000'))
const keep = v.pipe(
  v.record(v.picklist(['daily', 'weekly', 'monthly']), v.unknown()),
  v.object({
    daily: v.exactOptional(v.pipe(many, v.description('How many of the last days that have one. Default: 7'))),
    weekly: v.exactOptional(v.pipe(many, v.description('How many of the last weeks that have one. Default: 4'))),
    monthly: v.exactOptional(v.pipe(many, v.description('How many of the last months that have one. Default: 6'))),
  }),
)
const recipient = v.pipe(
  v.string(),
  v.regex(/^age1[02-9ac-hj-np-z]{58}$/, "an age key's public half, as age-keygen prints it: age1 and 58 characters"),
)
const encrypt = v.lazy(
  (input): v.GenericSchema<unknown, string[]> =>
    typeof input === 'string'
      ? v.pipe(
          recipient,
          v.transform((one) => [one]),
        )
      : v.pipe(v.array(recipient), v.nonEmpty('at least one key; left out, backups are not encrypted')),
)

/** What one layer of the settings says about `backup:`; false takes it back. */
export type BackupSetting = false | BackupMap

/** What is said of backups: all of it may be left to another layer. */
export interface BackupMap extends S3Map {
  readonly schedule?: string
  readonly keep?: { readonly daily?: number; readonly weekly?: number; readonly monthly?: number }
  readonly encrypt?: readonly string[]
  readonly notify?: readonly v.InferOutput<ReturnType<typeof notificationsOf>>[number][]
}

const map = (vaults: readonly string[]) =>
  v.pipe(
    // The list of keys comes first, so that a misspelt one gets its hint.
    v.record(v.picklist(keys), v.unknown()),
    v.object({
      schedule: v.exactOptional(
        v.pipe(schedule, v.description('When, as cron writes it, in the time zone of the node. Default: 30 3 * * *')),
      ),
      ...s3Entries('backup', vaults),
      keep: v.exactOptional(v.pipe(keep, v.description('How many of the last days, weeks and months keep their newest backup'))),
      encrypt: v.exactOptional(v.pipe(encrypt, v.description('Public halves of age keys; left out, backups are not encrypted'))),
      notify: v.exactOptional(
        v.pipe(notificationsOf(['failure']), v.description('Who is told how a backup ended, by default of failures')),
      ),
    }),
  )

/** `backup:`. */
export function backupSchema(vaults: readonly string[]) {
  return v.lazy((input): v.GenericSchema<unknown, BackupSetting> => (input === false ? v.literal(false) : map(vaults)))
}
