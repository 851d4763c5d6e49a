import * as v from 'valibot'
import { sitePathProblem } from './site-path.js'

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
const seconds = (text: string) => Number(text.slice(0, -1)) * (units[text.slice(-1)] ?? Number.NaN)
const year = 366 * 86_400

const wantedOfNginx = 'a time, as in 30s, 10m, 2h or 7d'
const wantedOfBrowser = 'a time, as in 10m or 7d, or none, or immutable'

/** `path` of a rule, which lands in nginx's configuration. */
export const sitePath = v.pipe(
  v.string(),
  v.rawCheck<string>(({ dataset, addIssue }) => {
    const message = dataset.typed ? sitePathProblem(dataset.value) : undefined
    if (message !== undefined) addIssue({ message })
  }),
)

const nginxTime = v.pipe(
  v.string(wantedOfNginx),
  v.regex(/^\d{1,9}[smhd]$/, wantedOfNginx),
  v.transform(seconds),
  v.minValue(1, 'at least 1s'),
  v.maxValue(year, 'at most a year'),
)

const browserTime = v.pipe(
  v.string(wantedOfBrowser),
  v.regex(/^(\d{1,9}[smhd]|none|immutable)$/, wantedOfBrowser),
  v.transform((text): number | 'none' | 'immutable' => (text === 'none' || text === 'immutable' ? text : seconds(text))),
  v.check((value) => typeof value !== 'number' || (value >= 1 && value <= year), 'between 1s and a year'),
)

const rule = v.pipe(
  // The list of keys comes first, so that a misspelt one gets its hint.
  v.record(v.picklist(['browser', 'nginx']), v.unknown()),
  v.object({
    browser: v.exactOptional(v.pipe(browserTime, v.description('How long browsers keep an answer: 10m, 7d, none or immutable'))),
    nginx: v.exactOptional(v.pipe(nginxTime, v.description('How long nginx keeps an answer for everybody: 30s, 10m, 2h'))),
  }),
)

/** What a rule of `cache:` says. Times are seconds. */
export type CacheRule = v.InferOutput<typeof rule>

/** `cache:`, rules by path. */
export const cacheSchema = v.record(sitePath, rule)
