import type { Instance } from '../project/instance.js'
import type { Frozen } from '../recipes/bundle.js'

/** How long writers are held where that is asked for: longer, and who waits would be given up by gunicorn or nginx. */
export function freezeOf({ settings: { timeout } }: Instance, asked: boolean): Frozen | undefined {
  return asked ? { seconds: Math.max(1, Math.floor(timeout / 2)) } : undefined
}
