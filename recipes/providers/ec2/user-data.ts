import * as v from 'valibot'
import type { Cloud } from './cloud.js'

const readBack = v.object({ ssh_keys: v.object({ ed25519_public: v.string() }) })

/** The public host key that an instance was started with, over EC2's own channel; undefined where it was not by us. */
export async function hostKeyOf({ sdk, client }: Cloud, instance: string): Promise<string | undefined> {
  const { UserData } = await client.send(
    new sdk.DescribeInstanceAttributeCommand({ InstanceId: instance, Attribute: 'userData' }),
  )
  const { parseDocument } = await import('yaml')
  const text = Buffer.from(UserData?.Value ?? '', 'base64').toString('utf8')
  const known = v.safeParse(readBack, parseDocument(text).toJS())
  return known.success ? known.output.ssh_keys.ed25519_public : undefined
}
