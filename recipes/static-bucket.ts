import { secret } from '../engine/shell/secret.js'
import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import type { CacheRule } from '../project/cache-schema.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import type { StaticBucket } from '../project/static-bucket.js'
import { apt } from './apt.js'
import { absent, directory, file } from './file.js'
import { cacheLocations, staticRules } from './page-cache.js'
import type { Release } from './release.js'
import { readableAccess, type S3Access, s3Scripts } from './s3.js'
import { hashedName } from './static-files.js'
import { template } from './template.js'

/** What a node needs to send static files to a bucket. */
export interface StaticBucketGiven {
  readonly bucket: StaticBucket
  /** Undefined where a dry run has not fetched them. */
  readonly keys: S3Access | undefined
  /** Where static files are served. */
  readonly url: string
  /** The package's own static files in a release. */
  readonly packageStatic: string | undefined
  readonly cache: Readonly<Record<string, CacheRule>>
}

/** The script that sends static files, with its settings; without a bucket there is none, and what is in S3 stays. */
export function staticBucket(place: Place, given: StaticBucketGiven | undefined): readonly Step[] {
  const folder = layout.staticBucket(place)
  if (given === undefined) return absent(folder)
  const { keys } = given
  return [
    ...apt('python3-boto3'),
    ...directory({ path: folder, mode: '0700' }),
    ...s3Scripts(folder),
    ...template('static/static.py', { to: `${folder}/static.py`, mode: '0600' }),
    ...file({ path: `${folder}/settings.json`, content: json(settingsOf(place, given)), mode: '0600' }),
    ...(keys === undefined
      ? []
      : file({
          path: `${folder}/secrets.json`,
          content: secret(json(readableAccess(keys)), 'static_bucket'),
          mode: '0600',
        })),
  ]
}

/** Sends what is new or changed of a release's static files, before any page names it. */
export function sendStatic({ place, id }: Release, { bucket, folder }: StaticBucket): Step {
  return {
    title: `Static files to the bucket ${bucket}, ${folder}/`,
    loud: true,
    quiet: true,
    apply: sh`exec python3 -B ${`${layout.staticBucket(place)}/static.py`} send ${layout.release(place, id)}`,
  }
}

/** Removes from the bucket what no kept release has had for as long as `prune` says. The release serves: a failure is only told. */
export function tidyStatic(place: Place, { prune, bucket }: StaticBucket): readonly Step[] {
  if (prune === undefined) return []
  return [
    {
      title: `What the bucket ${bucket} need not have any more`,
      loud: true,
      quiet: true,
      apply: sh`
        if ! python3 -B ${`${layout.staticBucket(place)}/static.py`} tidy 2>"$KRAFT_STEP/said"; then
          printf 'Old static files stay there until the next deploy: %s\n' "$(cat "$KRAFT_STEP/said")"
        fi
      `,
    },
  ]
}

function settingsOf(place: Place, { bucket, url, packageStatic, cache }: StaticBucketGiven) {
  const { endpoint = null, region, folder, prune } = bucket
  const rules = cacheLocations(staticRules(cache, url)).flatMap(({ pattern, browser }) =>
    browser === undefined ? [] : [[pattern, browser === 'no-store' ? browser : `public, ${browser}`]],
  )
  return {
    endpoint,
    region,
    bucket: bucket.bucket,
    folder,
    url,
    public: bucket.public,
    prune: prune === undefined ? null : prune * 86_400,
    releases: `${place.home}/releases`,
    package: packageStatic ?? null,
    // As nginx says it, the first that fits.
    keep: [...rules, [hashedName, 'public, max-age=31536000, immutable'], ['', 'public, max-age=60']],
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
