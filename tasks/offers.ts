import { KraftError } from '../engine/errors/failure.js'
import type { Provider } from '../engine/node/provider.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { kindNames } from '../recipes/kinds.js'
import { askMissing } from './ask-missing.js'
import { chosenProvider } from './chosen-provider.js'
import { columns } from './columns.js'

/** The options of a task that lists what a provider offers. */
export const offerOptions = {
  search: option({ type: 'string', positional: true, many: true, help: 'only what has these words' }),
  provider: option({
    type: 'string',
    choicesFrom: () => kindNames('providers'),
    help: 'whose (default: of ~/.kraftwerk.yaml, else local)',
  }),
  set: option({ type: 'string', many: true, help: 'a setting of the provider, KEY=VALUE' }),
}

interface Asked {
  readonly provider: string | undefined
  readonly set: readonly string[]
  readonly search: readonly string[]
}

/** Lists what a provider offers, row for row below these headings. */
export async function offers<Kind extends 'images' | 'sizes' | 'regions', Item extends Offer<Kind>>(
  kind: Kind,
  session: Session,
  asked: Asked,
  headings: readonly string[],
  cells: (item: Item) => readonly (string | number | undefined)[],
): Promise<Result> {
  const { provider, settings } = await chosenProvider(session, asked)
  const list = provider[kind]
  if (list === undefined) {
    throw new KraftError({
      kind: 'usage',
      message: `The provider ${provider.name} has no ${kind}`,
      next: `See: kraft settings ${provider.name}`,
    })
  }
  const all = (await list(await askMissing(session, provider, settings, 'look'))) as readonly Item[]
  const words = asked.search.map((word) => word.toLowerCase())
  const found = all.filter((item) => {
    const text = cells(item).join(' ').toLowerCase()
    return words.every((word) => text.includes(word)) && isHere(item, settings.location_id)
  })
  if (found.length === 0) return new Result(`No ${kind} fit; without words ${provider.name} has ${all.length}`, [])
  return new Result(columns([headings, ...found.map((item) => cells(item).map((cell) => String(cell ?? '')))]), found)
}

type Offer<Kind extends 'images' | 'sizes' | 'regions'> = Awaited<ReturnType<NonNullable<Provider[Kind]>>>[number]

// A size that the region of the settings does not have is of no use.
function isHere(item: object, region: unknown): boolean {
  const regions = 'regions' in item && Array.isArray(item.regions) ? item.regions : undefined
  return typeof region !== 'string' || regions === undefined || regions.includes(region)
}
