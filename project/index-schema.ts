import * as v from 'valibot'
import { type Secret, secret } from '../engine/shell/secret.js'
import { decoded } from '../engine/shell/secretive.js'
import { orReference } from './reference-schema.js'
import type { Reference } from './vault.js'

/** An index of Python packages, as the settings name it. */
export interface IndexSetting {
  /** Without user and password. */
  readonly url: string
  readonly user?: string | Reference
  readonly password?: Secret | Reference
}

const address = v.pipe(
  v.string(),
  v.check(
    (value) => /^https?:\/\/[!-~]+$/.test(value) && URL.canParse(value),
    'an address, as in https://pypi.example.com/simple',
  ),
  v.transform((value): IndexSetting => {
    const url = new URL(value)
    const [user, password] = [url.username, url.password].map(decoded)
    url.username = ''
    url.password = ''
    return {
      url: url.href,
      ...(user === undefined || user === '' ? {} : { user }),
      ...(password === undefined || password === '' ? {} : { password: secret(password, 'index.password') }),
    }
  }),
)

const line = v.pipe(v.string('text; one of digits alone stands in quotes'), v.regex(/^\P{Cc}{1,4096}$/u, 'one line of text'))

const map = (vaults: readonly string[]) =>
  v.pipe(
    // The list of keys comes first, so that a misspelt one gets its hint.
    v.record(v.picklist(['url', 'user', 'password']), v.unknown()),
    v.check((given) => given.url !== undefined, 'a map with its url'),
    v.object({
      url: v.pipe(address, v.description('Address of the index, as in https://pypi.example.com/simple')),
      user: v.exactOptional(v.pipe(orReference(vaults, line), v.description('Login there, or where a vault has it'))),
      password: v.exactOptional(
        v.pipe(
          orReference(
            vaults,
            v.pipe(
              line,
              v.transform((value) => secret(value, 'index.password')),
            ),
          ),
          v.description('Its password, or where a vault has it'),
        ),
      ),
    }),
    v.transform(({ url, ...own }): IndexSetting => ({ ...url, ...own })),
  )

/** `index:`, in each of its forms. */
export function indexSchema(vaults: readonly string[]) {
  const one = v.lazy(
    (input): v.GenericSchema<unknown, IndexSetting> => (typeof input === 'object' && input !== null ? map(vaults) : address),
  )
  return v.lazy(
    (input): v.GenericSchema<unknown, IndexSetting[]> =>
      Array.isArray(input)
        ? v.array(one)
        : v.pipe(
            one,
            v.transform((index) => [index]),
          ),
  )
}
