import type { IpPermission } from '@aws-sdk/client-ec2'
import { KraftError } from '../../../engine/errors/failure.js'
import { byKind, everywhere } from '../cloud/cidr.js'
import type { Cloud } from './cloud.js'
import { nameFor } from './key-pair.js'
import type { Network } from './network.js'
import type { Settings } from './settings.js'
import { type Identity, tagged } from './tags.js'

/** Makes the security group of one node: ssh from where the settings say, 80 and 443 from everywhere. Gives its id. */
export async function makeGroup(
  { sdk, client }: Cloud,
  who: Identity,
  { port, allow_ssh }: Settings,
  network: Network,
  made: (id: string) => void,
): Promise<string> {
  const { GroupId } = await client.send(
    new sdk.CreateSecurityGroupCommand({
      GroupName: nameFor(who),
      Description: `kraftwerk: node ${who.node}`,
      ...(network === undefined ? {} : { VpcId: network.vpc }),
      TagSpecifications: tagged(who, 'security-group'),
    }),
  )
  if (GroupId === undefined)
    throw new KraftError({ kind: 'task', node: who.node, message: 'EC2 made a security group without an id' })
  // Named before the rules are set: if they fail, the group has to go too.
  made(GroupId)
  await client.send(
    new sdk.AuthorizeSecurityGroupIngressCommand({
      GroupId,
      IpPermissions: [rule(port, [allow_ssh]), rule(80, everywhere), rule(443, everywhere)],
    }),
  )
  return GroupId
}

function rule(port: number, ranges: readonly string[]): IpPermission {
  const { four, six } = byKind(ranges)
  return {
    IpProtocol: 'tcp',
    FromPort: port,
    ToPort: port,
    IpRanges: four.map((CidrIp) => ({ CidrIp })),
    Ipv6Ranges: six.map((CidrIpv6) => ({ CidrIpv6 })),
  }
}

/** The id of the security group of the settings, which may be its id or its name. */
export async function findGroup({ sdk, client, region }: Cloud, wanted: string, network: Network): Promise<string> {
  const by = /^sg-[0-9a-f]+$/.test(wanted) ? 'group-id' : 'group-name'
  const { SecurityGroups = [] } = await client.send(
    new sdk.DescribeSecurityGroupsCommand({
      Filters: [{ Name: by, Values: [wanted] }, ...(network === undefined ? [] : [{ Name: 'vpc-id', Values: [network.vpc] }])],
    }),
  )
  const [first, ...more] = SecurityGroups
  if (first?.GroupId !== undefined && more.length === 0) return first.GroupId
  throw new KraftError({
    kind: 'usage',
    message:
      first === undefined
        ? `EC2 has no security group ${wanted} in ${network?.vpc ?? region}`
        : `Several security groups are named ${wanted} in ${network?.vpc ?? region}`,
    next: 'Set securitygroup to the id of one (sg-…), or leave it out: then the node gets its own.',
  })
}
