import { sh } from '../../engine/shell/sh.js'
import { imageName } from '../../recipes/providers/local/image.js'
import type { State } from '../../recipes/providers/local/names.js'
import { asRoot } from '../../recipes/providers/local/root.js'

const suite = 'trixie'

/** Puts an image that cannot boot in the place of trixie's, which took a minute to make and is kept aside. */
export async function breakImage(state: State): Promise<void> {
  await mendImage(state)
  const { image, aside } = paths(state)
  await asRoot(
    'Make an image without systemd',
    sh`
      if [ -e ${image} ]; then mv ${image} ${aside}; fi
      mkdir -p ${image}/etc/ssh ${image}/root
      touch ${image}/broken`,
  )
}

/** Undoes {@link breakImage}, also for a run that crashed; nothing happens where no image is broken. */
export async function mendImage(state: State): Promise<void> {
  const { image, aside } = paths(state)
  await asRoot(
    'Put the image back',
    sh`
      if [ -e ${image}/broken ]; then rm -rf --one-file-system ${image}; fi
      if [ -e ${aside} ]; then mv ${aside} ${image}; fi`,
  )
}

function paths({ root }: State): { image: string; aside: string } {
  const image = `${root}/images/${imageName(suite)}`
  return { image, aside: `${image}.aside` }
}
