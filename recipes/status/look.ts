import type { Node } from '../../engine/node/node.js'
import { lines } from '../../engine/shell/sh.js'
import type { Instance } from '../../project/instance.js'
import type { UsedService } from '../application.js'
import { type CertificateEnd, parseCertificateEnd } from '../certificate-end.js'
import { type InstanceState, parseState, readState } from '../state.js'
import type { Attention, Found, StatusPart } from './part.js'
import { lookAtParts, readParts, statusParts } from './parts.js'

/** What is known of an instance on one node. */
export interface Known {
  readonly state: InstanceState
  readonly certificate: CertificateEnd | undefined
  /** What each part has found, by its name. */
  readonly found: Readonly<Record<string, Found>>
}

/** Where to look, and for what. */
export interface Spot {
  readonly instance: Instance
  readonly node: Node
  /** As behind the colon, for what to do. */
  readonly word: string
  readonly services: readonly UsedService[]
  /** Releases go to the node; it may be a balancer, or keep data alone. */
  readonly holdsReleases: boolean
}

/** Looks how an instance is on a node, in one round trip; at all parts of `kraft status`, or at some. */
export async function lookAt(place: Spot, parts: readonly StatusPart[] = statusParts): Promise<Known> {
  const { instance, node, word, holdsReleases } = place
  const looked = { instance, node, word, services: holdsReleases ? place.services : [] }
  const before = new Date()
  const text = await node.read(lines(readState(instance), lookAtParts(looked, parts)).text)
  const state = parseState(text.split('\u0001', 1)[0] ?? '')
  const deployed = state.current !== undefined && holdsReleases
  return {
    state,
    certificate: parseCertificateEnd(text),
    found: readParts(text, { ...looked, deployed, between: [before, new Date()] }, parts),
  }
}

/** What needs a hand: what the parts say, and a deploy that was interrupted. */
export function attentionOf({ state: { rollout, holder }, found }: Known, word: string): readonly Attention[] {
  const next = `Finish it with kraft deploy:${word}, or go back with kraft rollback:${word}`
  return [
    ...(rollout === undefined || holder !== undefined ? [] : [{ what: 'A deploy was interrupted', next }]),
    ...Object.values(found).flatMap(({ attention }) => attention),
  ]
}

/** Whether nodes serve different releases, which a deploy that ended badly leaves. */
export function isMixed(states: readonly InstanceState[]): boolean {
  return new Set(states.map(({ current }) => current?.id)).size > 1
}
