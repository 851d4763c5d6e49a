import * as v from 'valibot'
import { whole } from './value-schema.js'

const urlPath = v.pipe(v.string(), v.regex(/^\/[!-~]*$/, 'a path on the site, as in /health'))
const status = whole(100, 599)
const healthMap = v.pipe(
  // The list of keys comes first, so that a misspelt one gets its hint.
  v.record(v.picklist(['path', 'status', 'timeout', 'tries']), v.unknown()),
  v.object({
    path: v.exactOptional(v.pipe(urlPath, v.description('The page that is asked for'))),
    status: v.exactOptional(
      v.pipe(
        v.union([status, v.array(status)]),
        v.transform((value) => (typeof value === 'number' ? [value] : value)),
        v.description('The status of a right answer, or a list of them. Default: 200 to 399, 401, 403 and 404'),
      ),
    ),
    timeout: v.exactOptional(
      v.pipe(
        v.number(),
        v.gtValue(0, 'more than 0'),
        v.maxValue(600, 'at most 600'),
        v.description('Seconds that one try may take'),
      ),
    ),
    tries: v.exactOptional(v.pipe(whole(1, 1000), v.description('How often it is asked before the deploy fails'))),
  }),
)
const healthPath = v.pipe(
  urlPath,
  v.transform((path): v.InferOutput<typeof healthMap> => ({ path })),
)

/** What a new release must answer: a path, or a map that says more. */
export const healthSchema = v.lazy(
  (input): v.GenericSchema<unknown, v.InferOutput<typeof healthMap>> => (typeof input === 'string' ? healthPath : healthMap),
)
