import type { Node } from '../engine/node/node.js'
import type { Step } from '../engine/step/step.js'
import type { Session } from '../engine/task/session.js'
import { readStaticBucket } from '../project/static-bucket.js'
import type { Application } from '../recipes/application.js'
import { serves } from '../recipes/followers.js'
import type { Release } from '../recipes/release.js'
import { s3Access } from '../recipes/s3.js'
import { sendStatic, staticBucket, tidyStatic } from '../recipes/static-bucket.js'
import { packageStatic } from '../recipes/static-files.js'

/** What is done for `static_bucket:` on a node, by the moment of a deploy that it belongs to. */
export interface StaticSteps {
  setUp(node: Node): readonly Step[]
  send(node: Node, release: Release): readonly Step[]
  tidy(node: Node): readonly Step[]
}

/** The way of static files into a bucket: one node sends them, because all have the same. */
export async function staticSteps(
  { instance, package: name }: Application,
  nodes: readonly Node[],
  { flags }: Pick<Session, 'flags'>,
): Promise<StaticSteps> {
  const bucket = readStaticBucket(instance)
  if (bucket === undefined) return { setUp: () => staticBucket(instance, undefined), send: () => [], tidy: () => [] }
  const { src, static_url: url, cache } = instance.settings
  const keys = await s3Access(instance, 'static_bucket', bucket, flags.dryRun)
  const given = { bucket, keys, url, packageStatic: packageStatic({ src, package: name }), cache }
  const sends = nodes.find(serves) ?? nodes[0]
  return {
    setUp: (node) => staticBucket(instance, node === sends ? given : undefined),
    send: (node, release) => (node === sends ? [sendStatic(release, bucket)] : []),
    tidy: (node) => (node === sends ? tidyStatic(instance, bucket) : []),
  }
}
