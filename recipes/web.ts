import type { Step } from '../engine/step/step.js'
import { directory } from './file.js'
import { systemUser } from './user.js'

/** Where all instances live on a node. */
export const webRoot = '/web'

/** The user and group `web`, and `/web`, which is theirs. Instances run as users of their own, which are not in `web`. */
export function web(): readonly Step[] {
  return [
    ...systemUser({ name: 'web', home: webRoot }),
    ...directory({ path: webRoot, owner: 'web', group: 'web', mode: '0755' }),
  ]
}
