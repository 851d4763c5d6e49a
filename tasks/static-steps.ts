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
import type { StepsPart } from './rollout/parts.js'

/** What is done for `static_bucket:` on a node, by the moment of a deploy that it belongs to. */
export interface StaticSteps {
  setUp(node: Node): readonly Step[]
  /** No page may name a file that is not there yet, and what fails here has changed nothing else. */
  send(release: Release): StepsPart
  tidy(node: Node): readonly Step[]
}

/** Where code alone changes: what was sent stays, and nobody asks S3. */
export const staticAsItIs: StaticSteps = { setUp: () => [], send: () => sending(() => []), tidy: () => [] }

/** The way of static files into a bucket: one node sends them, because all have the same. */
export async function staticSteps(
  { instance, package: name }: Application,
  nodes: readonly Node[],
  { flags }: Pick<Session, 'flags'>,
): Promise<StaticSteps> {
  const bucket = readStaticBucket(instance)
  if (bucket === undefined) return { ...staticAsItIs, setUp: () => staticBucket(instance, undefined) }
  const { src, static_url: url, cache } = instance.settings
  const keys = await s3Access(instance, 'static_bucket', bucket, flags.dryRun)
  const given = { bucket, keys, url, packageStatic: packageStatic({ src, package: name }), cache }
  const sends = nodes.find(serves) ?? nodes[0]
  return {
    setUp: (node) => staticBucket(instance, node === sends ? given : undefined),
    send: (release) => sending((node) => (node === sends ? [sendStatic(release, bucket)] : [])),
    tidy: (node) => (node === sends ? tidyStatic(instance, bucket) : []),
  }
}

function sending(steps: StepsPart['steps']): StepsPart {
  return { title: 'Static files in S3', chapter: 'Prepare', barrier: true, steps }
}
