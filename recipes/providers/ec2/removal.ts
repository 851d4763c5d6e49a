import type { Filter } from '@aws-sdk/client-ec2'
import { KraftError } from '../../../engine/errors/failure.js'
import { poll } from '../cloud/poll.js'
import type { Cloud } from './cloud.js'
import { codeOf } from './failures.js'
import { look } from './instance.js'
import { byTag, type Identity, tag } from './tags.js'

/** What was made for one node. */
export interface Made {
  instance?: string | undefined
  group?: string | undefined
  key?: string | undefined
  /** The allocation of an Elastic IP. */
  address?: string | undefined
}

/**
 * What of these still exists and bears the node's own random id; with nothing named, all that bears it. Ids come from a file
 * that people edit and share, so nothing is removed on their word alone.
 */
export async function ours(cloud: Cloud, id: string, named?: Made): Promise<Made> {
  const filters = (name: string, value: string | undefined): Filter[] => [
    byTag(tag.id, id),
    ...(value === undefined ? [] : [{ Name: name, Values: [value] }]),
  ]
  const wanted = (value: string | undefined) => named === undefined || value !== undefined
  const { sdk, client } = cloud
  const [instance, group, key, address] = await Promise.all([
    wanted(named?.instance)
      ? client.send(new sdk.DescribeInstancesCommand({ Filters: filters('instance-id', named?.instance) }))
      : undefined,
    wanted(named?.group)
      ? client.send(new sdk.DescribeSecurityGroupsCommand({ Filters: filters('group-id', named?.group) }))
      : undefined,
    wanted(named?.key) ? client.send(new sdk.DescribeKeyPairsCommand({ Filters: filters('key-name', named?.key) })) : undefined,
    wanted(named?.address)
      ? client.send(new sdk.DescribeAddressesCommand({ Filters: filters('allocation-id', named?.address) }))
      : undefined,
  ])
  return {
    instance: instance?.Reservations?.flatMap(({ Instances = [] }) => Instances).find(({ State }) => State?.Name !== 'terminated')
      ?.InstanceId,
    group: group?.SecurityGroups?.[0]?.GroupId,
    key: key?.KeyPairs?.[0]?.KeyName,
    address: address?.Addresses?.[0]?.AllocationId,
  }
}

/** Removes an instance, waits for its end, then removes what was beside it. Gone already is fine. Cannot be interrupted. */
export async function remove(cloud: Cloud, node: string, made: Made, progress: (line: string) => void): Promise<void> {
  const { sdk, client } = cloud
  if (made.instance !== undefined) await terminate(cloud, node, made.instance, progress)
  if (made.key !== undefined) await client.send(new sdk.DeleteKeyPairCommand({ KeyName: made.key })).catch(fineIfGone)
  const { group, address } = made
  if (address !== undefined) {
    await insist(node, `the Elastic IP ${address}`, `aws ec2 release-address --allocation-id ${address}`, () =>
      client.send(new sdk.ReleaseAddressCommand({ AllocationId: address })),
    )
  }
  if (group !== undefined) {
    await insist(node, `the security group ${group}`, `aws ec2 delete-security-group --group-id ${group}`, () =>
      client.send(new sdk.DeleteSecurityGroupCommand({ GroupId: group })),
    )
  }
}

/** Removes what earlier runs left that died before they had an instance. Whatever is still in use stays. */
export function removeLeftovers(cloud: Cloud, { node, owner }: Omit<Identity, 'id'>): Promise<void> {
  return removeUnused(cloud, [byTag(tag.node, node), byTag(tag.owner, owner)])
}

/** Removes what stands beside an instance that is gone, whoever has made it: an Elastic IP would cost on and on. */
export function removeRemains(cloud: Cloud, id: string): Promise<void> {
  return removeUnused(cloud, [byTag(tag.id, id)])
}

async function removeUnused({ sdk, client }: Cloud, Filters: Filter[]): Promise<void> {
  const [{ SecurityGroups = [] }, { KeyPairs = [] }, { Addresses = [] }] = await Promise.all([
    client.send(new sdk.DescribeSecurityGroupsCommand({ Filters })),
    client.send(new sdk.DescribeKeyPairsCommand({ Filters })),
    client.send(new sdk.DescribeAddressesCommand({ Filters })),
  ])
  const unlessInUse = (error: unknown) => {
    if (!inUse.test(codeOf(error))) fineIfGone(error)
  }
  for (const { KeyName } of KeyPairs) await client.send(new sdk.DeleteKeyPairCommand({ KeyName })).catch(fineIfGone)
  for (const { AllocationId } of Addresses) {
    await client.send(new sdk.ReleaseAddressCommand({ AllocationId })).catch(unlessInUse)
  }
  for (const { GroupId } of SecurityGroups) {
    await client.send(new sdk.DeleteSecurityGroupCommand({ GroupId })).catch(unlessInUse)
  }
}

async function terminate(cloud: Cloud, node: string, id: string, progress: (line: string) => void): Promise<void> {
  const { sdk, client } = cloud
  // One that was started a moment ago may be unknown to EC2 for some seconds, and would live on if that counted as gone.
  await poll(
    () =>
      client.send(new sdk.TerminateInstancesCommand({ InstanceIds: [id] })).catch((error: unknown) => {
        if (codeOf(error) === 'InvalidInstanceID.NotFound') return undefined
        throw error
      }),
    { within: 10_000, every: 2_000 },
  )
  progress(`Waiting for the end of ${id}`)
  const gone = await poll(
    async () => {
      const state = (await look(cloud, id))?.State?.Name
      return state === undefined || state === 'terminated' ? true : undefined
    },
    { within: 600_000 },
  )
  if (gone) return
  throw new KraftError({
    kind: 'task',
    node,
    message: `${id} was told to terminate and is still there after ten minutes`,
    next: `Once it is gone, what is beside it goes with kraft terminate:${node}; where it is not remembered, with the next kraft provision ${node}.`,
  })
}

const inUse = /^(DependencyViolation|InvalidIPAddress\.InUse)$/

// The network interface of a terminated instance holds on to its group and address for a while.
async function insist(node: string, what: string, byHand: string, attempt: () => Promise<unknown>): Promise<void> {
  const gone = await poll(
    async () => {
      try {
        await attempt()
      } catch (error) {
        if (inUse.test(codeOf(error))) return undefined
        fineIfGone(error)
      }
      return true
    },
    { within: 180_000 },
  )
  if (gone) return
  throw new KraftError({ kind: 'task', node, message: `Something still uses ${what}`, next: `When nothing does: ${byHand}` })
}

function fineIfGone(error: unknown): void {
  if (!codeOf(error).endsWith('.NotFound')) throw error
}
