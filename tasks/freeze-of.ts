import { KraftError } from '../engine/errors/failure.js'
import type { Instance } from '../project/instance.js'
import type { Frozen } from '../recipes/bundle.js'
import { using } from '../recipes/elsewhere.js'

/**
 * How long writers are held where that is asked for: longer, and who waits would be given up by gunicorn or nginx.
 *
 * @throws KraftError `usage` where writers are on several nodes: one script holds those of one.
 */
export function freezeOf({ settings, name }: Instance, asked: boolean): Frozen | undefined {
  if (!asked) return undefined
  const nodes = using(settings.nodes).map((node) => node.name)
  if (nodes.length > 1) {
    throw new KraftError({
      kind: 'usage',
      message: `--freeze holds what writes on one node, and ${name} writes from ${nodes.join(', ')}`,
      next: "Leave it out, and each service is one moment's. For one moment of all of them: kraft stop, dump, kraft start",
    })
  }
  return { seconds: Math.max(1, Math.floor(settings.timeout / 2)) }
}
