import { sh } from '../../engine/shell/sh.js'
import { asRoot } from '../../recipes/providers/local/root.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import type { Story } from './story-node.js'

/**
 * Ends a node as a power cut does: its PID 1 is killed, and with it, in the same moment, all that runs there; nothing is written any
 * more. What is kept is the pid of systemd-nspawn, whose child that is: without its parent it would go on.
 */
export async function cutPower(story: Story, name: string): Promise<void> {
  const { root } = stateFrom(story.env)
  await asRoot(
    'Cut the power',
    sh`
      first=$(pgrep -P "$(cat ${root}/run/${name}/pid)")
      kill -KILL "$first"
      while [ -e ${root}/run/${name}/pid ] || [ -e /proc/"$first" ]; do sleep 0.05; done
    `,
  )
}

/** Starts it again, and waits until it answers. */
export async function powerOn(story: Story, name: string): Promise<void> {
  await story.must(['provision', name], { cwd: story.home })
}
