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
  const [instance, group, key] = await Promise.all([
    wanted(named?.instance)
      ? client.send(new sdk.DescribeInstancesCommand({ Filters: filters('instance-id', named?.instance) }))
      : undefined,
    wanted(named?.group)
      ? client.send(new sdk.DescribeSecurityGroupsCommand({ Filters: filters('group-id', named?.group) }))
      : undefined,
    wanted(named?.key) ? client.send(new sdk.DescribeKeyPairsCommand({ Filters: filters('key-name', named?.key) })) : undefined,
  ])
  return {
    instance: instance?.Reservations?.flatMap(({ Instances = [] }) => Instances).find(({ State }) => State?.Name !== 'terminated')
      ?.InstanceId,
    group: group?.SecurityGroups?.[0]?.GroupId,
    key: key?.KeyPairs?.[0]?.KeyName,
  }
}

/** Removes an instance, waits for its end, then removes its group and key pair. Gone already is fine. Cannot be interrupted. */
export async function remove(cloud: Cloud, node: string, made: Made, progress: (line: string) => void): Promise<void> {
  const { sdk, client } = cloud
  if (made.instance !== undefined) await terminate(cloud, node, made.instance, progress)
  if (made.key !== undefined) await client.send(new sdk.DeleteKeyPairCommand({ KeyName: made.key })).catch(fineIfGone)
  if (made.group !== undefined) await deleteGroup(cloud, node, made.group)
}

/**
 * Removes the groups and key pairs of earlier runs that died before they had an instance. Whatever is still in use stays.
 */
export async function removeLeftovers({ sdk, client }: Cloud, { node, owner }: Omit<Identity, 'id'>): Promise<void> {
  const Filters = [byTag(tag.node, node), byTag(tag.owner, owner)]
  const [{ SecurityGroups = [] }, { KeyPairs = [] }] = await Promise.all([
    client.send(new sdk.DescribeSecurityGroupsCommand({ Filters })),
    client.send(new sdk.DescribeKeyPairsCommand({ Filters })),
  ])
  for (const { KeyPairId } of KeyPairs) await client.send(new sdk.DeleteKeyPairCommand({ KeyPairId })).catch(fineIfGone)
  for (const { GroupId } of SecurityGroups) {
    await client.send(new sdk.DeleteSecurityGroupCommand({ GroupId })).catch((error: unknown) => {
      if (codeOf(error) !== 'DependencyViolation') fineIfGone(error)
    })
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
  throw new KraftError({ kind: 'task', node, message: `${id} was told to terminate and is still there after ten minutes` })
}

async function deleteGroup({ sdk, client }: Cloud, node: string, GroupId: string): Promise<void> {
  const gone = await poll(
    async () => {
      try {
        await client.send(new sdk.DeleteSecurityGroupCommand({ GroupId }))
        return true
      } catch (error) {
        // The network interface of a terminated instance holds on to its group for a while.
        if (codeOf(error) === 'DependencyViolation') return undefined
        fineIfGone(error)
        return true
      }
    },
    { within: 180_000 },
  )
  if (gone) return
  throw new KraftError({
    kind: 'task',
    node,
    message: `Something still uses the security group ${GroupId}`,
    next: `When nothing does: aws ec2 delete-security-group --group-id ${GroupId}`,
  })
}

function fineIfGone(error: unknown): void {
  if (!codeOf(error).endsWith('.NotFound')) throw error
}
