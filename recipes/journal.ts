import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import type { Release } from './release.js'

/**
 * The file on each node that says what it and the others are about to switch to, and from what: a crash in the middle leaves it, and the
 * next command finishes what it says.
 */
export function journalFile(place: Place): string {
  return `${layout.settings(place)}/rollout`
}

/**
 * Writes the decision: from here on all nodes are to switch. One line: release, generation, and what served before. Whatever is switched
 * to is on the disk by then: a file system writes a link's name sooner than what is in new files, which would be empty after a power cut.
 */
export function decide(release: Release): readonly Step[] {
  const { place, id, generation } = release
  const file = journalFile(place)
  return [
    {
      title: 'All of it is on the disk',
      quiet: true,
      apply: sh`sync -f ${place.home} ${layout.settings(place)} /etc/sv`,
    },
    {
      title: 'Note what is switched to',
      quiet: true,
      apply: sh`
        current=$(readlink ${layout.current(place)} || :)
        live=$(readlink ${layout.current(place)}/.kraft/live || :)
        printf '%s %s %s %s\n' ${id} ${generation} "\${current##*/}" "$live" >${`${file}.new`}
        sync ${`${file}.new`} 2>/dev/null || :
        mv -f ${`${file}.new`} ${file}
      `,
    },
  ]
}

/** Removes the decision once all nodes have switched, or none is to. */
export function settled(place: Place): readonly Step[] {
  const file = journalFile(place)
  return [{ title: 'It is switched', quiet: true, check: sh`test ! -e ${file}`, apply: sh`rm -f ${file}` }]
}

/** Goes back to what served before, whose processes still run, where this node has switched and another one could not. */
export function switchBack(release: Release): readonly Step[] {
  const { place, id, generation } = release
  const file = journalFile(place)
  const live = layout.generation(place, id, generation)
  return [
    {
      title: 'Switch back',
      check: sh`test ! -e ${file} || test "$(readlink -f ${layout.current(place)}/.kraft/live)" != ${live}`,
      apply: sh`
        read -r _ _ former generation <${file}
        if [ -z "$former" ]; then
          rm -f ${layout.current(place)}
        else
          link=${place.home}/releases/$former/.kraft/live
          if [ "$(readlink "$link")" != "$generation" ]; then ln -sfnT "$generation" "$link.new"; mv -fT "$link.new" "$link"; fi
          ln -sfnT "releases/$former" ${`${layout.current(place)}.new`}
          mv -fT ${`${layout.current(place)}.new`} ${layout.current(place)}
        fi
      `,
    },
    ...settled(place).map((step) => ({ ...step, title: 'Forget what was decided' })),
  ]
}
