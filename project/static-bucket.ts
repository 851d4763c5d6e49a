import { KraftError } from '../engine/errors/failure.js'
import type { Instance } from './instance.js'
import { readS3, type S3Place, s3Folder } from './s3.js'
import { settingPlace } from './setting-place.js'
import type { StaticBucketMap, StaticBucketSetting } from './static-bucket-schema.js'

/** Where the static files of an instance go at a deploy. */
export interface StaticBucket extends S3Place {
  /** Each object may be read by anybody. */
  readonly public: boolean
  /** Days that a file stays which no kept release has any more; undefined: for ever. */
  readonly prune: number | undefined
}

/** What the layers of the settings say together, the strongest last; undefined where static files go nowhere. */
export function mergeStaticBucket(...layers: readonly (StaticBucketSetting | undefined)[]): StaticBucketMap | undefined {
  let merged: StaticBucketMap | undefined
  for (const layer of layers) {
    if (layer === false) merged = undefined
    else if (layer !== undefined) merged = { ...merged, ...layer }
  }
  return merged
}

/** The bucket of an instance; undefined where it has none. Throws `setting` where something is missing. */
export function readStaticBucket(instance: Instance): StaticBucket | undefined {
  const { static_bucket: given, cdn } = instance.settings
  if (given === undefined) return undefined
  if (cdn === undefined) {
    throw new KraftError({
      kind: 'setting',
      place: settingPlace(instance, ['static_bucket'], 'key'),
      message: '"static_bucket" needs "cdn": no page would name what is in the bucket',
      next: 'Add the host that hands it out, as in cdn: cdn.example.com, or take it back there: static_bucket: false',
    })
  }
  const place = readS3(instance, 'static_bucket', given)
  const { backup } = instance.settings
  if (backup?.bucket === place.bucket && backup.endpoint === place.endpoint) {
    throw new KraftError({
      kind: 'setting',
      place: settingPlace(instance, ['static_bucket'], 'key'),
      message: '"static_bucket" is the bucket of "backup", and a CDN would hand out the backups as well',
      next: 'Name a bucket of its own, as in bucket: shop-static',
    })
  }
  return {
    ...place,
    public: given.public ?? false,
    prune: given.prune === false ? undefined : (given.prune ?? 90),
  }
}

/**
 * The address of an instance's static files, as pages name it. In a bucket the key of a file is the path of its address.
 *
 * @example staticAddress(instance) // 'https://cdn.example.com/shop/live/static/'
 */
export function staticAddress(instance: Instance): string {
  const { cdn, static_bucket: bucket, static_url: url } = instance.settings
  if (cdn === undefined) return url
  return bucket === undefined ? `https://${cdn}${url}` : `https://${cdn}/${s3Folder(instance, bucket)}${url}`
}
