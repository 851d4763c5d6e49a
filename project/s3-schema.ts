import * as v from 'valibot'
import { type Secret, secret } from '../engine/shell/secret.js'
import { orReference } from './reference-schema.js'
import type { Reference } from './vault.js'

/** The keys by which settings say where an S3 is, and who may come. */
export const s3Keys = ['endpoint', 'region', 'bucket', 'prefix', 'access_key', 'secret_key'] as const

/** What is said of an S3: all of it may be left to another layer. */
export interface S3Map {
  readonly endpoint?: string
  readonly region?: string
  readonly bucket?: string
  readonly prefix?: string
  readonly access_key?: string | Reference
  readonly secret_key?: Secret | Reference
}

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

/** What each of these keys may be; `setting` is the one that they belong to: `backup`. */
export function s3Entries(setting: string, vaults: readonly string[]) {
  return {
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
            v.transform((value) => secret(value, `${setting}.secret_key`)),
          ),
        ),
        v.description('Secret key of the S3, or where a vault has it'),
      ),
    ),
  }
}
