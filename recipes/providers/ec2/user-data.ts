import * as v from 'valibot'
import { type Secret, secret } from '../../../engine/shell/secret.js'
import { render } from '../../../engine/template/render.js'
import type { Cloud } from './cloud.js'

/** What cloud-init on the node is told. */
export interface UserData {
  readonly node: string
  readonly login: string
  readonly port: number
  /** The user's public key. */
  readonly publicKey: string
  readonly hostKey: { readonly public: string; readonly private: Secret }
}

/** The node's first-boot configuration for cloud-init. It holds the private host key, so it is a secret. */
export function userData(values: UserData): Secret {
  const text = render('providers/ec2/user-data.yaml', { ...values })
  return typeof text === 'string' ? secret(text, 'user data') : text
}

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
