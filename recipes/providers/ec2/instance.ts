import type {
  Instance,
  InstanceMarketOptionsRequest,
  InstanceNetworkInterfaceSpecification,
  InstanceStateName,
  RunInstancesCommandInput,
} from '@aws-sdk/client-ec2'
import { KraftError } from '../../../engine/errors/failure.js'
import { reveal, type Secret } from '../../../engine/shell/secret.js'
import { poll } from '../cloud/poll.js'
import type { Cloud } from './cloud.js'
import { codeOf } from './failures.js'
import type { Base } from './image.js'
import type { Network } from './network.js'
import type { Size } from './size.js'
import { byTag, type Identity, tag, tagged, tagValue } from './tags.js'

/** States of an instance that is not gone. */
export const alive: readonly InstanceStateName[] = ['pending', 'running', 'stopping', 'stopped']

/** What is asked of EC2 for one instance. */
export interface Launch {
  readonly who: Identity
  readonly image: Base
  readonly size: Size
  readonly network: Network
  readonly group: string
  readonly key: string | undefined
  /** In GB. */
  readonly disk: number
  readonly userData: Secret
  /** A spot instance, for at most that many dollars an hour where `price` is set. */
  readonly spot: { readonly price: number | string | undefined } | undefined
}

/** What {@link launch} sends, apart from the sending. */
export function launchInput({ who, image, size, network, group, key, disk, userData, spot }: Launch): RunInstancesCommandInput {
  return {
    ImageId: image.id,
    InstanceType: size.type,
    MinCount: 1,
    MaxCount: 1,
    ClientToken: `kraftwerk-${who.id}`,
    ...(network === undefined ? { SecurityGroupIds: [group] } : { NetworkInterfaces: [reachable(network.subnet, group)] }),
    ...(key === undefined ? {} : { KeyName: key }),
    UserData: Buffer.from(reveal(userData)).toString('base64'),
    MetadataOptions: {
      HttpEndpoint: 'enabled',
      HttpTokens: 'required',
      HttpPutResponseHopLimit: 1,
      HttpProtocolIpv6: 'disabled',
    },
    ...(spot === undefined ? {} : { InstanceMarketOptions: oneTimeSpot(spot.price) }),
    BlockDeviceMappings: [
      {
        DeviceName: image.rootDevice,
        Ebs: { VolumeType: 'gp3', VolumeSize: Math.max(disk, image.least), Encrypted: true, DeleteOnTermination: true },
      },
      // An image may bring more of them, which would stay behind and cost.
      ...image.otherDisks.map((DeviceName) => ({ DeviceName, Ebs: { Encrypted: true, DeleteOnTermination: true } })),
    ],
    TagSpecifications: tagged(
      who,
      'instance',
      'volume',
      'network-interface',
      ...(spot === undefined ? [] : ['spot-instances-request' as const]),
    ),
  }
}

// Subnets that somebody made give no public addresses unless they are told to.
function reachable(SubnetId: string, group: string): InstanceNetworkInterfaceSpecification {
  return { DeviceIndex: 0, SubnetId, Groups: [group], AssociatePublicIpAddress: true, DeleteOnTermination: true }
}

// One-time: a request that stayed would start another instance that nobody remembers.
function oneTimeSpot(price: number | string | undefined): InstanceMarketOptionsRequest {
  return {
    MarketType: 'spot',
    SpotOptions: {
      SpotInstanceType: 'one-time',
      InstanceInterruptionBehavior: 'terminate',
      ...(price === undefined ? {} : { MaxPrice: String(price) }),
    },
  }
}

/** Starts one instance and gives its id. */
export async function launch({ sdk, client }: Cloud, asked: Launch): Promise<string> {
  const command = new sdk.RunInstancesCommand(launchInput(asked))
  let unknown: unknown
  // EC2 may need a moment until it knows the group and the key that it has just made; the token keeps this one instance.
  const started = await poll(
    () =>
      client.send(command).catch((error: unknown) => {
        if (!['InvalidGroup.NotFound', 'InvalidKeyPair.NotFound'].includes(codeOf(error))) throw error
        unknown = error
        return undefined
      }),
    { within: 20_000 },
  )
  if (started === undefined) throw unknown
  const id = started.Instances?.[0]?.InstanceId
  if (id !== undefined) return id
  const next = 'Look at them: aws ec2 describe-instances'
  throw new KraftError({ kind: 'task', node: asked.who.node, message: 'EC2 started an instance and did not say which', next })
}

async function instancesOf({ sdk, client }: Cloud, { node, owner }: Omit<Identity, 'id'>): Promise<readonly Instance[]> {
  const { Reservations = [] } = await client.send(
    new sdk.DescribeInstancesCommand({
      Filters: [byTag(tag.node, node), byTag(tag.owner, owner), { Name: 'instance-state-name', Values: [...alive] }],
    }),
  )
  return Reservations.flatMap(({ Instances = [] }) => Instances)
}

/** The instance with this name that the same person has, whoever started it: an interrupted run, mostly. */
export async function findInstance(cloud: Cloud, who: Omit<Identity, 'id'>): Promise<Instance | undefined> {
  const found = await instancesOf(cloud, who)
  if (found.length > 1) {
    throw new KraftError({
      kind: 'task',
      node: who.node,
      message: `EC2 has several instances with this name: ${found.map(({ InstanceId }) => InstanceId).join(', ')}`,
      next: 'Terminate those that you do not need, or choose another name.',
    })
  }
  return found[0]
}

/**
 * Refuses a new instance where the same person has another one of this name that is not younger: two runs at once have found none, or
 * EC2 did not tell yet of the one that a killed run had started. Whoever started first goes on.
 */
export async function refuseTwin(cloud: Cloud, who: Omit<Identity, 'id'>, id: string): Promise<void> {
  const all = await instancesOf(cloud, who)
  const since = (each: Instance | undefined) => each?.LaunchTime?.getTime() ?? 0
  const own = since(all.find(({ InstanceId }) => InstanceId === id))
  const twin = all.find((each) => each.InstanceId !== id && (own === 0 || since(each) <= own))
  if (twin === undefined) return
  throw new KraftError({
    kind: 'task',
    node: who.node,
    message: `${twin.InstanceId} is this node already: another run of kraft started it`,
    next: `Once that run has ended: kraft provision ${who.node}, which goes on with it.`,
  })
}

/** An instance as it is now; undefined when EC2 does not know it (any more, or not yet). */
export async function look({ sdk, client }: Cloud, id: string): Promise<Instance | undefined> {
  try {
    const { Reservations = [] } = await client.send(new sdk.DescribeInstancesCommand({ InstanceIds: [id] }))
    return Reservations.flatMap(({ Instances = [] }) => Instances)[0]
  } catch (error) {
    if (/^InvalidInstanceID\./.test(codeOf(error))) return undefined
    throw error
  }
}

/** Waits until an instance runs, and until it has a public address unless it is to get another one. Gives that. */
export async function awaitAddress(
  cloud: Cloud,
  node: string,
  id: string,
  { signal, other }: { readonly signal: AbortSignal | undefined; readonly other: boolean },
): Promise<string> {
  const address = await poll(
    async () => {
      const now = await look(cloud, id)
      if (now?.State?.Name === 'terminated' || now?.State?.Name === 'shutting-down') {
        const reason = now.StateReason?.Message ?? 'no reason given'
        throw new KraftError({
          kind: 'task',
          node,
          message: `EC2 gave up on the instance ${id}: ${reason}`,
          next: /Client\.InternalError/.test(`${now.StateReason?.Code} ${reason}`)
            ? 'Mostly its disk can not be encrypted: may you use the key that the account encrypts disks with (KMS)?'
            : `Try again: kraft provision ${node}; or with another size_id.`,
        })
      }
      if (now?.State?.Name !== 'running') return undefined
      return now.PublicIpAddress ?? (other ? '' : undefined)
    },
    { within: 300_000, signal },
  )
  if (address !== undefined) return address
  throw new KraftError({
    kind: 'task',
    node,
    message: `The instance ${id} has no public address after five minutes`,
    next: "Its subnet has to give public addresses: see `Auto-assign public IPv4 address` in the VPC's console; or set elastic_ip: true.",
  })
}

/** Puts one more tag on an instance. */
export async function mark({ sdk, client }: Cloud, id: string, name: string, value: string): Promise<void> {
  await client.send(new sdk.CreateTagsCommand({ Resources: [id], Tags: [{ Key: name, Value: value }] }))
}

/** Marks an instance as handed over, so that a later failure never takes it away. */
export function markReady(cloud: Cloud, id: string): Promise<void> {
  return mark(cloud, id, tag.ready, new Date().toISOString())
}

/** Whether {@link markReady} was reached for it. */
export function isReady(instance: Instance): boolean {
  return tagValue(instance.Tags, tag.ready) !== undefined
}
