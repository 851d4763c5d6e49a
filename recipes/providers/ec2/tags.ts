import { randomBytes } from 'node:crypto'
import type { Filter, ResourceType, Tag, TagSpecification } from '@aws-sdk/client-ec2'
import { ownerOf } from '../cloud/owner.js'

/** Whose node something in EC2 is: the node's name, its random id, and the key of the person who asked for it. */
export interface Identity {
  readonly node: string
  readonly id: string
  readonly owner: string
}

/** Names of the tags on everything that we make. */
export const tag = {
  node: 'kraftwerk:node',
  id: 'kraftwerk:id',
  owner: 'kraftwerk:key',
  /** The host key that the node made itself. */
  hostKey: 'kraftwerk:host-key',
  /** Set at last: what lacks it comes from a run that was interrupted. */
  ready: 'kraftwerk:ready',
} as const

/** A new identity for a node. */
export function identity(node: string, publicKey: string): Identity {
  return { node, id: randomBytes(8).toString('hex'), owner: ownerOf(publicKey) }
}

/** The tags of an identity, for each of the kinds. */
export function tagged({ node, id, owner }: Identity, ...kinds: readonly ResourceType[]): TagSpecification[] {
  const tags: Tag[] = [
    { Key: 'Name', Value: node },
    { Key: tag.node, Value: node },
    { Key: tag.id, Value: id },
    { Key: tag.owner, Value: owner },
  ]
  return kinds.map((kind) => ({ ResourceType: kind, Tags: tags }))
}

/** A filter on a tag. */
export function byTag(name: string, value: string): Filter {
  return { Name: `tag:${name}`, Values: [value] }
}

/** The value of a tag. */
export function tagValue(tags: readonly Tag[] | undefined, name: string): string | undefined {
  return tags?.find(({ Key }) => Key === name)?.Value
}
