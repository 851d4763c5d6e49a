import { KraftError } from '../../../engine/errors/failure.js'
import type { Cloud } from './cloud.js'
import { type Identity, tagged } from './tags.js'

/** The name of what we make for a node, the same for its key pair and its group. */
export function nameFor({ node, id }: Identity): string {
  return `kraftwerk-${node}-${id}`
}

/**
 * Imports the user's public key for one node. EC2 takes ed25519 and RSA; any other kind reaches the node through its user
 * data alone, and undefined is returned.
 */
export async function importKey({ sdk, client }: Cloud, who: Identity, publicKey: string): Promise<string | undefined> {
  if (!/^ssh-(ed25519|rsa) /.test(publicKey)) return undefined
  const name = nameFor(who)
  await client.send(
    new sdk.ImportKeyPairCommand({
      KeyName: name,
      PublicKeyMaterial: new TextEncoder().encode(publicKey),
      TagSpecifications: tagged(who, 'key-pair'),
    }),
  )
  return name
}

/** Makes sure that the key pair of the settings exists before anything is made. */
export async function checkKey({ sdk, client, region }: Cloud, name: string): Promise<void> {
  const { KeyPairs = [] } = await client.send(
    new sdk.DescribeKeyPairsCommand({ Filters: [{ Name: 'key-name', Values: [name] }] }),
  )
  if (KeyPairs.length > 0) return
  throw new KraftError({
    kind: 'usage',
    message: `EC2 has no key pair ${name} in ${region}`,
    next: 'Correct keyname, or leave it out: then your public key is imported for the node.',
  })
}
