import { KraftError } from '../../../engine/errors/failure.js'
import type { Cloud } from './cloud.js'
import { type Identity, tagged } from './tags.js'

/** Takes an Elastic IP for one node. Gives the id of its allocation. */
export async function allocateAddress({ sdk, client }: Cloud, who: Identity): Promise<string> {
  const { AllocationId } = await client.send(
    new sdk.AllocateAddressCommand({ Domain: 'vpc', TagSpecifications: tagged(who, 'elastic-ip') }),
  )
  if (AllocationId !== undefined) return AllocationId
  throw new KraftError({
    kind: 'task',
    node: who.node,
    message: 'EC2 gave an Elastic IP without an id',
    next: 'Look at them: aws ec2 describe-addresses',
  })
}

/** Puts an Elastic IP on an instance, unless it is there, and gives the address. */
export async function associateAddress(
  { sdk, client }: Cloud,
  node: string,
  allocation: string,
  instance: string,
): Promise<string> {
  const { Addresses = [] } = await client.send(new sdk.DescribeAddressesCommand({ AllocationIds: [allocation] }))
  const [found] = Addresses
  if (found?.PublicIp === undefined) {
    throw new KraftError({
      kind: 'task',
      node,
      message: `The Elastic IP ${allocation} of this node is gone from EC2`,
      next: `Try again: kraft provision ${node}`,
    })
  }
  if (found.InstanceId !== instance) {
    const asked = { AllocationId: allocation, InstanceId: instance, AllowReassociation: false }
    await client.send(new sdk.AssociateAddressCommand(asked))
  }
  return found.PublicIp
}
