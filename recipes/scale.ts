import { type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { absent, directory, file } from './file.js'

/** How many there shall be, by name: `web` and processes. */
export type Counts = Readonly<Record<string, number | undefined>>

/**
 * Makes a node remember counts, which win over those of kraftwerk.yaml: each in a file that the run script of the web process, and
 * whatever starts copies of a process, reads. A name that has none is forgotten.
 */
export function rememberCounts(place: Place, names: readonly string[], counts: Counts): readonly Step[] {
  const folder = layout.scale(place)
  return [
    ...directory({ path: folder, mode: '0700' }),
    ...names.flatMap((name) => {
      const count = counts[name]
      return count === undefined ? absent(`${folder}/${name}`) : file({ path: `${folder}/${name}`, content: `${count}\n` })
    }),
  ]
}

/** Prints the counts that a node remembers, for {@link parseCounts}. */
export function readCounts(place: Place): Sh {
  return sh`
    for file in ${layout.scale(place)}/*; do
      if [ -e "$file" ]; then printf '%s %s\n' "\${file##*/}" "$(cat "$file")"; fi
    done
  `
}

/** What {@link readCounts} has printed. */
export function parseCounts(printed: string): Counts {
  const rows = printed.split('\n').map((row) => row.split(' '))
  return Object.fromEntries(rows.flatMap(([name = '', count]) => (count === undefined ? [] : [[name, Number(count)]])))
}
