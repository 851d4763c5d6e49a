import type { Subnet } from '@aws-sdk/client-ec2'
import { KraftError } from '../../../engine/errors/failure.js'
import type { Cloud } from './cloud.js'
import type { Settings } from './settings.js'

/** Where in the account's networks an instance starts; undefined means the default one. */
export type Network = { readonly vpc: string; readonly subnet: string } | undefined

/** The subnet of the settings, or the roomiest of their VPC. Throws a KraftError (`usage`) where there is none. */
export async function findNetwork(cloud: Cloud, { vpc, subnet }: Pick<Settings, 'vpc' | 'subnet'>): Promise<Network> {
  if (vpc === undefined && subnet === undefined) return undefined
  const wanted = [
    ...(subnet === undefined ? [] : [['subnet-id', subnet] as const]),
    ...(vpc === undefined ? [] : [['vpc-id', vpc] as const]),
  ]
  const { sdk, client, region } = cloud
  const found: Subnet[] = []
  const filters = [...wanted, ['state', 'available'] as const].map(([Name, value]) => ({ Name, Values: [value] }))
  for await (const { Subnets = [] } of sdk.paginateDescribeSubnets({ client }, { Filters: filters })) found.push(...Subnets)
  const [best] = found.sort(byRoom)
  if (best?.SubnetId !== undefined && best.VpcId !== undefined) return { vpc: best.VpcId, subnet: best.SubnetId }
  const what =
    subnet === undefined ? `no subnet in the VPC ${vpc}` : `no subnet ${subnet}${vpc === undefined ? '' : ` in the VPC ${vpc}`}`
  throw new KraftError({
    kind: 'usage',
    message: `EC2 has ${what} in ${region}`,
    next: 'Correct subnet and vpc, or leave both out for the default network; this lists them: aws ec2 describe-subnets',
  })
}

// One that gives public addresses is meant for the public.
function byRoom(a: Subnet, b: Subnet): number {
  const isPublic = ({ MapPublicIpOnLaunch }: Subnet) => (MapPublicIpOnLaunch === true ? 1 : 0)
  const room = ({ AvailableIpAddressCount = 0 }: Subnet) => AvailableIpAddressCount
  return isPublic(b) - isPublic(a) || room(b) - room(a) || (a.SubnetId ?? '').localeCompare(b.SubnetId ?? '')
}
