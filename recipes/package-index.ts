import { isSecret, reveal, type Secret, secret } from '../engine/shell/secret.js'
import type { IndexSetting } from '../project/index-schema.js'
import type { Instance } from '../project/instance.js'
import { settingPlace } from '../project/setting-place.js'
import { isReference, type Reference } from '../project/vault.js'
import { fetchAll } from './fetched.js'

/** The indexes of an instance with the credentials that they want, as variables of pip and uv, which no argument or log shows. */
export interface PackageIndexes {
  /** Assignments for a shell. */
  readonly variables: Secret | string
  /** There are several: which one a package comes from must be decided by their order alone. */
  readonly ordered: boolean
}

/**
 * What `index:` says, with what is in vaults. A dry run fetches nothing.
 *
 * @throws KraftError `task` where a value can't be had.
 */
export async function packageIndexes(instance: Instance, dryRun: boolean): Promise<PackageIndexes> {
  const { settings, project } = instance
  const place = settingPlace(instance, ['index'])
  const wanted = dryRun
    ? []
    : settings.index.flatMap((index) =>
        (['user', 'password'] as const).flatMap((key) => {
          const reference = index[key]
          return isReference(reference) ? [{ name: `index.${key}`, place, reference }] : []
        }),
      )
  const values = new Map((await fetchAll(project, wanted)).map((value, index) => [wanted[index]?.reference, value]))
  const urls = settings.index.map((index) => signedIn(index, (reference) => values.get(reference)))
  return { variables: urls.length === 0 ? '' : secret(variablesOf(urls), 'index'), ordered: urls.length > 1 }
}

function signedIn({ url, user, password }: IndexSetting, fetched: (reference: Reference) => Secret | undefined): string {
  const text = (value: string | Secret | Reference | undefined): string => {
    const found = isReference(value) ? fetched(value) : value
    return found === undefined ? '' : isSecret(found) ? reveal(found) : found
  }
  const signed = new URL(url)
  signed.username = encodeURIComponent(text(user))
  signed.password = encodeURIComponent(text(password))
  // As it stands in an address it may be written otherwise.
  if (signed.password !== '') secret(signed.password)
  return signed.href
}

// The first that has a package is asked: uv takes its default index last. pip has no order, and takes the highest version of any.
function variablesOf(urls: readonly string[]): string {
  const [first = '', ...others] = urls
  const variables = {
    PIP_INDEX_URL: first,
    PIP_EXTRA_INDEX_URL: others.join(' '),
    UV_INDEX: urls.slice(0, -1).join(' '),
    UV_DEFAULT_INDEX: urls.at(-1) ?? '',
  }
  // An address has no quotes: they are written as %27 there.
  const rows = Object.entries(variables).filter(([, value]) => value !== '')
  return rows.map(([name, value]) => `export ${name}='${value.replaceAll("'", '%27')}'\n`).join('')
}
