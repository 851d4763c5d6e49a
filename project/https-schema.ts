import * as v from 'valibot'
import type { HttpsSetting } from './https-setting.js'

const path = v.pipe(v.string(), v.trim(), v.nonEmpty('the path of a file'))
const keys = ['certificate', 'key', 'email', 'hsts', 'directory', 'ca'] as const

const map = v.pipe(
  // The list of keys comes first, so that a misspelt one gets its hint.
  v.record(v.picklist(keys), v.unknown()),
  v.object({
    certificate: v.exactOptional(v.pipe(path, v.description('A PEM file of your own: the certificate first, then its chain'))),
    key: v.exactOptional(v.pipe(path, v.description('The PEM file of its key'))),
    email: v.exactOptional(
      v.pipe(
        v.string(),
        v.regex(/^[\w.+-]+@[\w-]+(\.[\w-]+)*$/, 'an address, as in ada@example.com'),
        v.description('Where the server writes to about the account'),
      ),
    ),
    hsts: v.exactOptional(
      v.pipe(
        v.number(),
        v.integer('whole seconds'),
        v.minValue(0, 'at least 0'),
        v.maxValue(63_072_000, 'two years at most'),
        v.description('Seconds for which browsers ask for nothing but HTTPS'),
      ),
    ),
    directory: v.exactOptional(
      v.pipe(
        v.string(),
        v.regex(
          /^https:\/\/[\w.:[\]-]+(\/[\w./~%-]*)?$/,
          'the address of an ACME directory, as in https://acme.example.com/directory',
        ),
        v.description("Another ACME server than Let's Encrypt"),
      ),
    ),
    ca: v.exactOptional(v.pipe(path, v.description('A PEM file by which that server is known'))),
  }),
  v.check(
    ({ certificate, key }) => (certificate === undefined) === (key === undefined),
    'A certificate needs its key, and a key its certificate',
  ),
  v.check(
    ({ certificate, email, directory, ca }) =>
      certificate === undefined || [email, directory, ca].every((of) => of === undefined),
    'With a certificate of your own no server is asked: leave out email, directory and ca',
  ),
)
const word = v.pipe(
  v.union([v.literal('auto'), v.literal(false)], 'auto, false, or a map with certificate and key'),
  v.transform((value): HttpsSetting => (value === false ? { off: true } : { auto: true })),
)

/** `https:`, in each of its forms. */
export const httpsSchema = v.lazy(
  (input): v.GenericSchema<unknown, HttpsSetting> => (typeof input === 'object' && input !== null ? map : word),
)
