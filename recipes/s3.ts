import { isSecret, reveal, type Secret } from '../engine/shell/secret.js'
import type { Step } from '../engine/step/step.js'
import type { Instance } from '../project/instance.js'
import type { S3Place, S3Setting } from '../project/s3.js'
import { settingPlace } from '../project/setting-place.js'
import { isReference } from '../project/vault.js'
import { fetchAll } from './fetched.js'
import { template } from './template.js'

/** The keys that an S3 lets in. */
export interface S3Access {
  readonly accessKey: string | Secret
  readonly secretKey: Secret
}

/** The keys of an S3, fetched where they are in vaults; undefined where a dry run has not. Throws `task` where they can't be had. */
export async function s3Access(
  instance: Instance,
  setting: S3Setting,
  given: Pick<S3Place, 'accessKey' | 'secretKey'>,
  dryRun: boolean,
): Promise<S3Access | undefined> {
  const wanted = [
    { name: `${setting}.access_key`, value: given.accessKey },
    { name: `${setting}.secret_key`, value: given.secretKey },
  ]
  const references = wanted.flatMap(({ name, value }) =>
    isReference(value) ? [{ name, place: settingPlace(instance, [setting], 'key'), reference: value }] : [],
  )
  const fetched = dryRun ? [] : await fetchAll(instance.project, references)
  const found = <T>(value: T) => fetched[references.findIndex(({ reference }) => reference === value)]
  const accessKey = isReference(given.accessKey) ? found(given.accessKey) : given.accessKey
  const secretKey = isReference(given.secretKey) ? found(given.secretKey) : given.secretKey
  return accessKey === undefined || secretKey === undefined ? undefined : { accessKey, secretKey }
}

/** The keys as they stand in a file that only root reads. */
export function readableAccess({ accessKey, secretKey }: S3Access) {
  return { access_key: isSecret(accessKey) ? reveal(accessKey) : accessKey, secret_key: reveal(secretKey) }
}

/** The parts of a script that speak to an S3, beside it in its folder. They need `python3-boto3`. */
export function s3Scripts(folder: string): readonly Step[] {
  return ['client.py', 'errors.py'].flatMap((name) => template(`s3/${name}`, { to: `${folder}/${name}`, mode: '0600' }))
}
