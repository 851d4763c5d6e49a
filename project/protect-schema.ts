import { isIP } from 'node:net'
import * as v from 'valibot'
import { secret } from '../engine/shell/secret.js'
import { sitePath } from './cache-schema.js'

const address = v.pipe(
  v.string(),
  v.check((value) => {
    const [ip = '', bits, ...more] = value.split('/')
    const kind = isIP(ip)
    if (kind === 0 || more.length > 0) return false
    return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128))
  }, 'an address or a network, as in 203.0.113.7 or 203.0.113.0/24'),
)

// nginx compares with these; in the clear ({PLAIN}) is not among them.
const hash = /^(\$(1|5|6|y|2[aby]|apr1)\$|\{SSHA\}|\{SHA\})[!-~]+$/

const user = v.pipe(v.string(), v.regex(/^[^\s:\p{Cc}]{1,64}$/u, 'a name without blanks and colons'))
const password = v.pipe(
  v.string('text; one of digits alone stands in quotes'),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line of a file is made of it.
  v.regex(/^[^\x00-\x1f\x7f]{8,200}$/, 'at least 8 characters, on one line'),
  v.transform((value) => ({ value: secret(value, 'protect.password'), hashed: hash.test(value) })),
)

const map = v.pipe(
  v.record(v.picklist(['user', 'password', 'noindex', 'except', 'allow']), v.unknown()),
  v.object({
    user: v.exactOptional(v.pipe(user, v.description('The name that visitors type'))),
    password: v.exactOptional(v.pipe(password, v.description('At least 8 characters, or its hash'))),
    noindex: v.exactOptional(v.pipe(v.boolean(), v.description('Search engines are told to stay out. Default: true'))),
    except: v.exactOptional(v.pipe(v.array(sitePath), v.description('Paths that ask for no password'))),
    allow: v.exactOptional(v.pipe(v.array(address), v.description('Addresses and networks that are asked for no password'))),
  }),
  v.check(
    (given) => (given.user === undefined) === (given.password === undefined),
    'given both a user and a password, or neither',
  ),
)

/** What one layer of the settings says about `protect:`; false takes it back. */
export type ProtectSetting = false | v.InferOutput<typeof map>

/** `protect:`. */
export const protectSchema = v.lazy(
  (input): v.GenericSchema<unknown, ProtectSetting> => (input === false ? v.literal(false) : map),
)
