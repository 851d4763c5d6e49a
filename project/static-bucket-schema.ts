import * as v from 'valibot'
import { type S3Map, s3Entries, s3Keys } from './s3-schema.js'

const days = v.pipe(v.number(), v.integer('a whole number'), v.minValue(1, 'at least 1'), v.maxValue(36_500, 'at most 36500'))
const prune = v.lazy(
  (input): v.GenericSchema<unknown, number | false> =>
    typeof input === 'number' ? days : v.literal(false, 'a number of days, or false for never'),
)

/** What one layer of the settings says about `static_bucket:`; false takes it back. */
export type StaticBucketSetting = false | StaticBucketMap

/** What is said of the bucket that static files go to: all of it may be left to another layer. */
export interface StaticBucketMap extends S3Map {
  readonly public?: boolean
  readonly prune?: number | false
}

const map = (vaults: readonly string[]) =>
  v.pipe(
    // The list of keys comes first, so that a misspelt one gets its hint.
    v.record(v.picklist([...s3Keys, 'public', 'prune']), v.unknown()),
    v.object({
      ...s3Entries('static_bucket', vaults),
      public: v.exactOptional(v.pipe(v.boolean(), v.description('Everybody may read each file'))),
      prune: v.exactOptional(
        v.pipe(prune, v.description('Days that a file stays which no kept release has, or false for ever. Default: 90')),
      ),
    }),
  )

/** `static_bucket:`. */
export function staticBucketSchema(vaults: readonly string[]) {
  return v.lazy((input): v.GenericSchema<unknown, StaticBucketSetting> => (input === false ? v.literal(false) : map(vaults)))
}
