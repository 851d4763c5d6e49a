import type { Image } from '@aws-sdk/client-ec2'
import { KraftError } from '../../../engine/errors/failure.js'
import type { Cloud } from './cloud.js'
import type { Size } from './size.js'

const machines = { x86_64: 'amd64', arm64: 'arm64' } as const

/** Whose the images of a system are, how they are named up to the machine, and who logs in. */
interface Publisher {
  readonly owner: string
  readonly names: (word: string) => string
  readonly login: string
}

const debian: Publisher = { owner: '136693071363', names: (word) => `${word}-`, login: 'admin' }
const codenames: Readonly<Record<string, string>> = { '22.04': 'jammy', '24.04': 'noble' }
const ubuntu: Publisher = {
  owner: '099720109477',
  names: (word) => {
    const version = word.replace('ubuntu-', '')
    return `ubuntu/images/hvm-ssd*/ubuntu-${codenames[version]}-${version}-`
  },
  login: 'ubuntu',
}

/** The words for images that kraft finds by itself. */
export const families = {
  'debian-12': debian,
  'debian-13': debian,
  'ubuntu-22.04': ubuntu,
  'ubuntu-24.04': ubuntu,
} satisfies Readonly<Record<string, Publisher>>

/** The publishers with patterns for all that they publish for these words. */
export function published(): readonly { readonly owner: string; readonly names: readonly string[] }[] {
  const words = Object.entries(families)
  return [debian, ubuntu].map(({ owner, names }) => ({
    owner,
    names: words.filter(([, each]) => each.owner === owner).map(([word]) => `${names(word)}*`),
  }))
}

/** What an instance starts from. */
export interface Base {
  readonly id: string
  readonly name: string
  readonly architecture: string
  /** The disk that the system is on, e.g. /dev/xvda. */
  readonly rootDevice: string
  /** Disks beside that one. */
  readonly otherDisks: readonly string[]
  /** The least size in GB that the image fits in. */
  readonly least: number
  /** Who logs in, unless the settings name somebody. */
  readonly login: string
}

/** The image with that id, else the newest of that word that runs on that size. Throws a KraftError (`usage`). */
export async function findImage(cloud: Cloud, wanted: string, size: Size): Promise<Base> {
  const found = Object.entries(families).find(([word]) => word === wanted)
  if (found === undefined) return fitting(await named(cloud, wanted), size)
  return newest(cloud, ...found, size.runs.includes('x86_64') ? 'x86_64' : 'arm64')
}

async function named({ sdk, client, region }: Cloud, id: string): Promise<Base> {
  const { Images = [] } = await client.send(new sdk.DescribeImagesCommand({ ImageIds: [id] }))
  const base = Images.map(baseOf).find((each) => each !== undefined)
  if (base === undefined) throw unknownImage(`There is no image ${id} in ${region}`)
  return base
}

async function newest(cloud: Cloud, word: string, { owner, names }: Publisher, machine: keyof typeof machines): Promise<Base> {
  const pattern = `${names(word)}${machines[machine]}-*`
  const all = await imagesOf(cloud, owner, [pattern], [{ Name: 'architecture', Values: [machine] }])
  const [found] = all
    .filter(({ Architecture }) => Architecture === machine)
    .map(baseOf)
    .filter((each) => each !== undefined)
  if (found === undefined)
    throw unknownImage(`Nobody has published ${word} for ${machine} in ${cloud.region} (${pattern} of ${owner})`)
  return found
}

/** The images of an owner whose names fit one of the patterns, newest first. */
export async function imagesOf(
  { sdk, client }: Cloud,
  owner: string,
  names: readonly string[],
  filters: readonly { Name: string; Values: string[] }[] = [],
): Promise<readonly Image[]> {
  const Filters = [{ Name: 'name', Values: [...names] }, { Name: 'state', Values: ['available'] }, ...filters]
  const found: Image[] = []
  for await (const { Images = [] } of sdk.paginateDescribeImages({ client, pageSize: 500 }, { Owners: [owner], Filters })) {
    found.push(...Images)
  }
  // Anybody can publish an image with such a name, so the answer is checked as well.
  const patterns = names.map((name) => new RegExp(`^${name.replaceAll('.', '\\.').replaceAll('*', '.*')}$`))
  return found
    .filter(({ OwnerId, Name = '' }) => owner === 'self' || (OwnerId === owner && patterns.some((each) => each.test(Name))))
    .sort((a, b) => (b.CreationDate ?? '').localeCompare(a.CreationDate ?? ''))
}

// Both halves of a machine have to fit: an image for ARM does not boot on an Intel one.
function fitting(base: Base, size: Size): Base {
  if (size.runs.length === 0 || size.runs.includes(base.architecture)) return base
  throw new KraftError({
    kind: 'usage',
    message: `Image ${base.id} is for ${base.architecture}, but ${size.type} runs ${size.runs.join(', ')}`,
    next: 'Change image_id or size_id so that they fit.',
  })
}

function baseOf(image: Image): Base | undefined {
  if (image.ImageId === undefined || image.RootDeviceName === undefined) return undefined
  const root = image.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === image.RootDeviceName)
  return {
    id: image.ImageId,
    name: image.Name ?? image.ImageId,
    architecture: image.Architecture ?? 'x86_64',
    rootDevice: image.RootDeviceName,
    otherDisks: (image.BlockDeviceMappings ?? []).flatMap(({ DeviceName, Ebs }) =>
      DeviceName === undefined || DeviceName === image.RootDeviceName || Ebs === undefined ? [] : [DeviceName],
    ),
    least: root?.Ebs?.VolumeSize ?? 1,
    login: image.OwnerId === ubuntu.owner ? ubuntu.login : debian.login,
  }
}

function unknownImage(message: string): KraftError {
  return new KraftError({
    kind: 'usage',
    message,
    next: 'Set image_id to an image of that region, and login to the user it has.',
  })
}
