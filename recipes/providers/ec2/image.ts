import type { Image } from '@aws-sdk/client-ec2'
import { KraftError } from '../../../engine/errors/failure.js'
import type { Cloud } from './cloud.js'
import type { Size } from './size.js'

/** Whose the images of Debian are. */
export const debian = '136693071363'
const machines = { x86_64: 'amd64', arm64: 'arm64' } as const

/** What an instance starts from. */
export interface Base {
  readonly id: string
  readonly name: string
  readonly architecture: string
  /** The disk that the system is on, e.g. /dev/xvda. */
  readonly rootDevice: string
  /** The least size in GB that the image fits in. */
  readonly least: number
}

/** The image with that id, else the newest Debian 12 that runs on that size. Throws a KraftError (`usage`). */
export async function findImage(cloud: Cloud, id: string | undefined, size: Size): Promise<Base> {
  if (id !== undefined) return fitting(await named(cloud, id), size)
  return newestDebian(cloud, size.runs.includes('x86_64') ? 'x86_64' : 'arm64')
}

async function named({ sdk, client, region }: Cloud, id: string): Promise<Base> {
  const { Images = [] } = await client.send(new sdk.DescribeImagesCommand({ ImageIds: [id] }))
  const base = Images.map(baseOf).find((each) => each !== undefined)
  if (base === undefined) throw unknownImage(`There is no image ${id} in ${region}`)
  return base
}

async function newestDebian({ sdk, client, region }: Cloud, machine: keyof typeof machines): Promise<Base> {
  const prefix = `debian-12-${machines[machine]}-`
  const { Images = [] } = await client.send(
    new sdk.DescribeImagesCommand({
      Owners: [debian],
      Filters: [
        { Name: 'name', Values: [`${prefix}*`] },
        { Name: 'architecture', Values: [machine] },
        { Name: 'state', Values: ['available'] },
      ],
    }),
  )
  // Anybody can publish an image with this name, so the answer is checked as well.
  const [newest] = Images.filter(
    (each) => each.OwnerId === debian && each.Name?.startsWith(prefix) && each.Architecture === machine,
  )
    .sort((a, b) => (b.CreationDate ?? '').localeCompare(a.CreationDate ?? ''))
    .map(baseOf)
    .filter((each) => each !== undefined)
  if (newest === undefined) throw unknownImage(`Debian has no image named ${prefix}* in ${region}`)
  return newest
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
    least: root?.Ebs?.VolumeSize ?? 1,
  }
}

function unknownImage(message: string): KraftError {
  return new KraftError({
    kind: 'usage',
    message,
    next: 'Set image_id to an image of that region, and login to the user it has.',
  })
}
