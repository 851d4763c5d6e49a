import { KraftError } from '../../../engine/errors/failure.js'
import { didYouMean } from '../../../engine/errors/nearest.js'
import type { Size } from '../../../engine/node/provider.js'
import type { Base, Cloud, Sized } from './cloud.js'
import type { MachineSettings } from './settings.js'

/** What a machine is made of: everything was looked up, so that a misspelt word is known before anything is made. */
export interface Choice {
  readonly image: Base
  readonly size: Sized
  readonly region: string | undefined
}

/** The image, size and region of the settings, else Debian 12 on the smallest machine that will do. Throws a KraftError `usage`. */
export async function choose(cloud: Cloud, provider: string, settings: MachineSettings): Promise<Choice> {
  const { location_id, size_id, image_id } = settings
  const [regions, sizes, images] = await Promise.all([cloud.regions(), cloud.sizes(), cloud.images()])
  const ids = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id)
  if (location_id !== undefined && !ids(regions).includes(location_id)) {
    throw unknown(provider, 'region', location_id, ids(regions))
  }
  const size = sizeOf(provider, sizes, size_id, location_id)
  const named = ({ id, name, ref }: Base) => [id, name, String(ref)].includes(image_id ?? '')
  const wanted = images.filter((each) => (image_id === undefined ? isDebian(each) : named(each)))
  if (wanted.length === 0) throw unknown(provider, 'image', image_id ?? 'Debian 12', ids(images))
  const fits = ({ architecture }: Base) => architecture === undefined || (size.architecture ?? architecture) === architecture
  const image = wanted.find(fits)
  if (image !== undefined) return { image, size, region: location_id }
  throw new KraftError({
    kind: 'usage',
    message: `The image ${image_id ?? 'Debian 12'} is for ${wanted[0]?.architecture}, but the size ${size.id} is ${size.architecture}`,
    next: 'Change image_id or size_id so that they fit.',
  })
}

function isDebian({ id, name }: Base): boolean {
  return /^debian[ /_-]?12\b/i.test(name) || /(^|\/)debian-?12\b/i.test(id)
}

function sizeOf(provider: string, sizes: readonly Sized[], wanted: string | undefined, region: string | undefined): Sized {
  const here = sizes.filter(({ regions }) => region === undefined || regions === undefined || regions.includes(region))
  if (wanted === undefined) {
    const [smallest] = here.filter(({ memory }) => memory >= 1.9).sort(bySize)
    if (smallest !== undefined) return smallest
  }
  const found = here.find(({ id }) => id === wanted)
  if (found !== undefined) return found
  const elsewhere = sizes.find(({ id }) => id === wanted)
  if (elsewhere === undefined) {
    throw unknown(
      provider,
      'size',
      wanted ?? 'with 2 GB',
      here.map(({ id }) => id),
    )
  }
  throw new KraftError({
    kind: 'usage',
    message: `The size ${elsewhere.id} is not to be had in ${region}, only in ${elsewhere.regions?.join(', ') || 'no region now'}`,
    next: `See what is: kraft sizes --provider ${provider}`,
  })
}

/** Small ones first, and of two alike the one for Intel. */
export function bySize(a: Size, b: Size): number {
  const price = (size: Size) => Number.parseFloat(size.price?.replace(/^[^\d]*/, '') ?? '0')
  const arm = (size: Size) => (/arm/i.test(size.architecture ?? '') ? 1 : 0)
  return a.memory - b.memory || arm(a) - arm(b) || a.cpus - b.cpus || price(a) - price(b) || (a.id < b.id ? -1 : 1)
}

function unknown(provider: string, what: 'image' | 'size' | 'region', word: string, known: readonly string[]): KraftError {
  const key = { image: 'image_id', size: 'size_id', region: 'location_id' }[what]
  return new KraftError({
    kind: 'usage',
    message: `The provider ${provider} has no ${what} ${word}.${didYouMean(word, known)}`,
    next: `Correct ${key}; this lists what there is: kraft ${what}s --provider ${provider}`,
  })
}
