import type { Image, Listed, NodeState, Region, Size } from '../../../engine/node/provider.js'
import type { Cloud } from './cloud.js'
import { imagesOf, published } from './image.js'
import { alive } from './instance.js'
import { stateOf } from './state.js'
import { tag, tagValue } from './tags.js'

/** The instances that kraft made in a region, by whichever person of the account. */
export async function listNodes({ sdk, client }: Cloud): Promise<readonly Listed[]> {
  const found: Listed[] = []
  const filters = [
    { Name: 'tag-key', Values: [tag.id] },
    { Name: 'instance-state-name', Values: [...alive] },
  ]
  for await (const { Reservations = [] } of sdk.paginateDescribeInstances({ client }, { Filters: filters })) {
    for (const instance of Reservations.flatMap(({ Instances = [] }) => Instances)) {
      if (instance.InstanceId === undefined) continue
      const state: NodeState = stateOf(instance)
      const address = instance.PublicIpAddress
      const name = tagValue(instance.Tags, tag.node) ?? instance.InstanceId
      found.push({ name, id: instance.InstanceId, state, ...(address === undefined ? {} : { address }) })
    }
  }
  return found
}

/** The images that Debian and Ubuntu publish for what kraft runs on, and the account's own, newest first. */
export async function listImages(cloud: Cloud): Promise<readonly Image[]> {
  const asked = [...published(), { owner: 'self', names: ['*'] }]
  const found = await Promise.all(asked.map(({ owner, names }) => imagesOf(cloud, owner, names)))
  return found
    .flat()
    .sort((a, b) => (b.CreationDate ?? '').localeCompare(a.CreationDate ?? ''))
    .flatMap(({ ImageId, Name, Architecture }) =>
      ImageId === undefined
        ? []
        : [{ id: ImageId, name: Name ?? ImageId, ...(Architecture === undefined ? {} : { architecture: Architecture }) }],
    )
}

/** The types of instances that a region offers, small ones first. */
export async function listSizes({ sdk, client }: Cloud): Promise<readonly Size[]> {
  const found: Size[] = []
  for await (const { InstanceTypes = [] } of sdk.paginateDescribeInstanceTypes({ client, pageSize: 100 }, {})) {
    for (const { InstanceType, VCpuInfo, MemoryInfo, ProcessorInfo } of InstanceTypes) {
      if (InstanceType === undefined) continue
      const architecture = ProcessorInfo?.SupportedArchitectures?.join(', ')
      found.push({
        id: InstanceType,
        cpus: VCpuInfo?.DefaultVCpus ?? 0,
        memory: Math.round((MemoryInfo?.SizeInMiB ?? 0) / 102.4) / 10,
        ...(architecture === undefined ? {} : { architecture }),
      })
    }
  }
  return found.sort((a, b) => a.memory - b.memory || a.cpus - b.cpus || (a.id < b.id ? -1 : 1))
}

/** The regions that are enabled for the account. */
export async function listRegions({ sdk, client }: Cloud): Promise<readonly Region[]> {
  const { Regions = [] } = await client.send(new sdk.DescribeRegionsCommand({}))
  return Regions.flatMap(({ RegionName, Endpoint }) =>
    RegionName === undefined ? [] : [{ id: RegionName, name: Endpoint ?? RegionName }],
  ).sort((a, b) => (a.id < b.id ? -1 : 1))
}
