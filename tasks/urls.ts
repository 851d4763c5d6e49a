import type { Node } from '../engine/node/node.js'
import { sh } from '../engine/shell/sh.js'
import type { Instance } from '../project/instance.js'
import { hostOf } from '../recipes/application.js'
import { servesHttps } from '../recipes/https.js'
import { visited } from './rollout/switch.js'

/** Where people find a site: its domain, or without one each of its nodes. Each ends in a slash. HTTPS counts where it is up. */
export async function urlsOf(instance: Instance, nodes: readonly Node[]): Promise<readonly string[]> {
  const all = nodes.map(async (node) => {
    const { scheme } = visited(instance, node)
    const up = scheme === 'http' ? scheme : await schemeOn(node, instance)
    return `${up}://${hostOf(instance, node.record)}/`
  })
  return [...new Set(await Promise.all(all))]
}

// A node that can't be asked is taken at its settings.
function schemeOn(node: Node, instance: Instance): Promise<string> {
  const look = sh`if ${servesHttps(instance)}; then echo https; else echo http; fi`
  return node.read(look.text).then(
    (said) => said.trim(),
    () => 'https',
  )
}
