import * as v from 'valibot'
import type { Cloud } from './cloud.js'

const readBack = v.object({ ssh_keys: v.object({ ed25519_public: v.string() }), user: v.optional(v.string(), 'root') })

/** What an instance was given at its first boot. */
export interface Given {
  /** The public host key. */
  readonly hostKey: string
  /** Who logs in. */
  readonly login: string
}

/** What an instance was started with, over EC2's own channel; undefined where it was not by us. */
export async function givenTo({ sdk, client }: Cloud, instance: string): Promise<Given | undefined> {
  const { UserData } = await client.send(
    new sdk.DescribeInstanceAttributeCommand({ InstanceId: instance, Attribute: 'userData' }),
  )
  const { parseDocument } = await import('yaml')
  const text = Buffer.from(UserData?.Value ?? '', 'base64').toString('utf8')
  const known = v.safeParse(readBack, parseDocument(text).toJS())
  return known.success ? { hostKey: known.output.ssh_keys.ed25519_public, login: known.output.user } : undefined
}
