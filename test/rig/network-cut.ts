import { sh } from '../../engine/shell/sh.js'
import { asRoot } from '../../recipes/providers/local/root.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import type { Story } from './story-node.js'

/**
 * Cuts SSH between this machine and a node as a broken network does: nothing comes through, and nobody is told. Visitors still
 * reach it. Call what is returned to mend it.
 */
export async function cutNetwork(story: Story, name: string): Promise<() => Promise<void>> {
  const { root } = stateFrom(story.env)
  const inside = (script: string) =>
    // What is kept is the pid of systemd-nspawn, and the node's PID 1 its child.
    asRoot('Cut or mend the network', sh`nsenter -t "$(pgrep -P "$(cat ${root}/run/${name}/pid)")" -n -r -w/ sh -ec ${script}`)
  await inside(`/usr/sbin/nft -f - <<'END'
table inet cut
delete table inet cut
table inet cut {
  chain input { type filter hook input priority -300; tcp dport 22 drop; }
  chain output { type filter hook output priority -300; tcp sport 22 drop; }
}
END`)
  return async () => void (await inside('/usr/sbin/nft delete table inet cut'))
}
