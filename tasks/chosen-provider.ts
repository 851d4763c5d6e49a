import { is } from 'valibot'
import type { Section } from '../engine/config/section.js'
import { providerSettings } from '../engine/config/user.js'
import { KraftError } from '../engine/errors/failure.js'
import type { Provider, ProviderSettings } from '../engine/node/provider.js'
import type { Session } from '../engine/task/session.js'
import { loadKind } from '../recipes/kinds.js'

/** What a command line says of a provider. */
interface Said {
  readonly provider?: string | undefined
  readonly set?: readonly string[]
  /** What `set` may say as well, under the name that the provider has for it. */
  readonly image?: string | undefined
}

/** The provider that is meant, with its settings: of the command line, of the user, else local. */
export async function chosenProvider(
  session: Session,
  { provider: name, set = [], image }: Said,
): Promise<{ provider: Provider; settings: ProviderSettings }> {
  const provider = await loadKind('providers', name ?? session.user.provider ?? 'local')
  const ofImage = image === undefined ? undefined : imageKey(provider)
  const given = pairs(ofImage === undefined ? set : [...set, `${ofImage}=${image}`], provider.section)
  const typed = (key: string) => (key === ofImage ? '--image' : `--set ${key}`)
  const settings = await providerSettings(session.user, provider.name, provider.section, given, typed)
  return { provider, settings }
}

function imageKey({ name, section }: Provider): string {
  const key = ['image', 'image_id', 'box'].find((each) => each in section)
  if (key !== undefined) return key
  const next = `Leave --image out, or look at its settings: kraft settings`
  throw new KraftError({ kind: 'usage', message: `The provider ${name} has no images`, next })
}

// What is typed is text; a setting that takes none gets the number or truth value that it spells.
function pairs(set: readonly string[], section: Section): Record<string, unknown> {
  return Object.fromEntries(
    set.map((pair) => {
      const [key = '', ...rest] = pair.split('=')
      const text = rest.join('=')
      if (rest.length === 0 || key === '') {
        throw new KraftError({
          kind: 'usage',
          message: `--set takes KEY=VALUE, got "${pair}"`,
          next: 'For example: --set image=trixie',
        })
      }
      const schema = section[key]?.schema
      const spelt = /^(\d+|true|false)$/.test(text) ? JSON.parse(text) : text
      return [key, schema !== undefined && !is(schema, text) && is(schema, spelt) ? spelt : text]
    }),
  )
}
