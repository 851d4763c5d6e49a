import * as v from 'valibot'
import { type Secret, secret } from '../engine/shell/secret.js'
import { notificationsOf } from './notify.js'
import { scheduleSchema } from './program-keys.js'
import { orReference } from './reference-schema.js'
import type { Reference } from './vault.js'

const keys = [
  'schedule',
  'endpoint',
  'region',
  'bucket',
  'prefix',
  'access_key',
  'secret_key',
  'keep',
  'encrypt',
  'notify',
] as const

const schedule = v.pipe(
  scheduleSchema,
  v.check((value) => !/^@reboot$/i.test(value), 'a schedule with times: a backup comes at set times, not with a reboot'),
)
const endpoint = v.pipe(
  v.string(),
  v.check((value) => {
    if (!/^https?:\/\/[!-~]+$/.test(value) || !URL.canParse(value)) return false
    const { username, password, pathname, search, hash } = new URL(value)
    return username === '' && password === '' && pathname === '/' && search === '' && hash === ''
  }, 'the address of an S3 alone, as in https://s3.example.com'),
  v.transform((value) => new URL(value).origin),
)
const region = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'the name of a region, as in eu-central-1'))
const bucket = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket, as in shop-backups'))
const prefix = v.pipe(
  v.string(),
  v.transform((value) => value.replace(/^\/+|\/+$/g, '')),
  v.regex(/^([\w.-]+(\/[\w.-]+)*)?$/, 'a folder in the bucket, of letters, digits and ._-, as in servers/backups'),
  v.check((value) => value.split('/').every((part) => !/^\.+$/.test(part)), 'a folder with no ".." in it'),
)
const line = v.pipe(v.string('text; one of digits alone stands in quotes'), v.regex(/^[!-~]{1,1024}$/, 'one word of text'))
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
export interface BackupMap {
  readonly schedule?: string
  readonly endpoint?: string
  readonly region?: string
  readonly bucket?: string
  readonly prefix?: string
  readonly access_key?: string | Reference
  readonly secret_key?: Secret | Reference
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
      endpoint: v.exactOptional(v.pipe(endpoint, v.description('Address of the S3. Default: that of Amazon'))),
      region: v.exactOptional(v.pipe(region, v.description('Default: us-east-1'))),
      bucket: v.exactOptional(v.pipe(bucket, v.description('The bucket, which has to be there'))),
      prefix: v.exactOptional(v.pipe(prefix, v.description('A folder in the bucket'))),
      access_key: v.exactOptional(
        v.pipe(orReference(vaults, line), v.description('Access key of the S3, or where a vault has it')),
      ),
      secret_key: v.exactOptional(
        v.pipe(
          orReference(
            vaults,
            v.pipe(
              line,
              v.transform((value) => secret(value, 'backup.secret_key')),
            ),
          ),
          v.description('Secret key of the S3, or where a vault has it'),
        ),
      ),
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
