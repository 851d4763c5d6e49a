import type { Node } from '../engine/node/node.js'
import type { Instance } from '../project/instance.js'
import { hostOf } from '../recipes/application.js'

/** Where people find a site: its domain, or without one each of its nodes. Each ends in a slash. */
export function urlsOf(instance: Instance, nodes: readonly Node[]): readonly string[] {
  return [...new Set(nodes.map((node) => `http://${hostOf(instance, node.record)}/`))]
}
