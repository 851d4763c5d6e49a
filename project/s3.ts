import { KraftError } from '../engine/errors/failure.js'
import type { Secret } from '../engine/shell/secret.js'
import type { Instance } from './instance.js'
import type { S3Map } from './s3-schema.js'
import { settingPlace } from './setting-place.js'
import type { Reference } from './vault.js'

/** A folder in an S3, and who may come. */
export interface S3Place {
  /** Undefined: Amazon's own. */
  readonly endpoint: string | undefined
  readonly region: string
  readonly bucket: string
  /** The folder in the bucket that is this instance's alone. */
  readonly folder: string
  readonly accessKey: string | Reference
  readonly secretKey: Secret | Reference
}

/** The settings that name an S3. */
export type S3Setting = 'backup' | 'static_bucket'

/** The folder of an instance in a bucket: stage and live may share all of the settings, and neither changes what is the other's. */
export function s3Folder({ project, environment }: Instance, { prefix = '' }: S3Map): string {
  return [prefix, project.name, environment ?? '-'].filter((part) => part !== '').join('/')
}

/** Reads where an S3 is. Throws `setting` where something is missing. */
export function readS3(instance: Instance, setting: S3Setting, given: S3Map): S3Place {
  const { bucket, access_key: accessKey, secret_key: secretKey } = given
  if (bucket === undefined || accessKey === undefined || secretKey === undefined) {
    const missing = [
      bucket === undefined && 'bucket',
      accessKey === undefined && 'access_key',
      secretKey === undefined && 'secret_key',
    ]
    const example = setting === 'backup' ? 'shop-backups' : 'shop-static'
    throw new KraftError({
      kind: 'setting',
      place: settingPlace(instance, [setting], 'key'),
      message: `"${setting}" lacks ${missing.filter((key) => key !== false).join(', ')}`,
      next: `For example: ${setting}: { endpoint: https://s3.example.com, bucket: ${example}, access_key: …, secret_key: { op: … } }`,
    })
  }
  return {
    endpoint: given.endpoint,
    region: given.region ?? 'us-east-1',
    bucket,
    folder: s3Folder(instance, given),
    accessKey,
    secretKey,
  }
}
