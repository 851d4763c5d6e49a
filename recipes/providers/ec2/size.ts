import type { _InstanceType } from '@aws-sdk/client-ec2'
import { KraftError } from '../../../engine/errors/failure.js'
import type { Cloud } from './cloud.js'

/** A type of instance that the region offers. */
export interface Size {
  readonly type: _InstanceType
  /** The architectures it runs, as EC2 names them. */
  readonly runs: readonly string[]
}

/** Looks a size up, so that a misspelt one is known before anything is made. Throws a KraftError (`usage`). */
export async function findSize({ sdk, client, region }: Cloud, name: string): Promise<Size> {
  const { InstanceTypes = [] } = await client.send(
    new sdk.DescribeInstanceTypesCommand({ Filters: [{ Name: 'instance-type', Values: [name] }] }),
  )
  const found = InstanceTypes.find(({ InstanceType }) => InstanceType === name)
  if (found?.InstanceType === undefined) {
    throw new KraftError({
      kind: 'usage',
      message: `EC2 has no size ${name} in ${region}`,
      next: 'Set size_id to a type of instance that the region offers, e.g. t3.small.',
    })
  }
  return { type: found.InstanceType, runs: found.ProcessorInfo?.SupportedArchitectures ?? [] }
}
