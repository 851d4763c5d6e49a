import type { IpPermission } from '@aws-sdk/client-ec2'
import { KraftError } from '../../../engine/errors/failure.js'
import { everywhere, isSix } from '../cloud/cidr.js'
import type { Cloud } from './cloud.js'
import { nameFor } from './key-pair.js'
import type { Network } from './network.js'
import type { Settings } from './settings.js'
import { type Identity, tagged } from './tags.js'

/** A range of addresses that may reach ssh. */
export interface SshFrom {
  readonly range: string
  /** Whose it is, as the rule's description says; undefined: nobody's in particular. */
  readonly of?: string | undefined
}

/** Makes the security group of one node: ssh from there, 80 and 443 from everywhere. Gives its id. */
export async function makeGroup(
  { sdk, client }: Cloud,
  who: Identity,
  { port, from }: Pick<Settings, 'port'> & { readonly from: SshFrom },
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
    throw new KraftError({
      kind: 'task',
      node: who.node,
      message: 'EC2 made a security group without an id',
      next: 'Look at them: aws ec2 describe-security-groups',
    })
  // Named before the rules are set: if they fail, the group has to go too.
  made(GroupId)
  await client.send(
    new sdk.AuthorizeSecurityGroupIngressCommand({
      GroupId,
      IpPermissions: [
        rule(port, [from]),
        ...[80, 443].map((open) =>
          rule(
            open,
            everywhere.map((range) => ({ range })),
          ),
        ),
      ],
    }),
  )
  return GroupId
}

/** What opens a port to those. */
export function rule(port: number, from: readonly SshFrom[]): IpPermission {
  const said = ({ of }: SshFrom) => (of === undefined ? {} : { Description: of })
  return {
    IpProtocol: 'tcp',
    FromPort: port,
    ToPort: port,
    IpRanges: from.filter(({ range }) => !isSix(range)).map((each) => ({ CidrIp: each.range, ...said(each) })),
    Ipv6Ranges: from.filter(({ range }) => isSix(range)).map((each) => ({ CidrIpv6: each.range, ...said(each) })),
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
