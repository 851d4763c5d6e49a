import { type Sh, sh } from '../engine/shell/sh.js'

/** The files that name data: what is live, what a load puts beside it, what was live before, and what was kept before that. */
export interface NamingFiles {
  readonly live: string
  readonly beside: string
  readonly former: string
  /** Until there is time to remove what it names. */
  readonly outdated: string
}

/** The files beside the one that names what is live. */
export function namingFiles(live: string): NamingFiles {
  return { live, beside: `${live}.beside`, former: `${live}.former`, outdated: `${live}.outdated` }
}

/**
 * Swaps data that nobody can rename, such as a vhost of RabbitMQ: the application is told by a file which one is its own, so the files
 * are swapped, whatever the size of what they name. It takes that up when its processes start anew.
 *
 * @example swap: (place) => swapNames(namingFiles(live(place)))
 */
export function swapNames({ live, beside, former, outdated }: NamingFiles): Sh {
  return sh`
    test -e ${beside}
    if [ -e ${former} ]; then mv -f ${former} ${outdated}; fi
    ln -f ${live} ${former}
    mv -f ${beside} ${live}
  `
}

/** Takes {@link swapNames} back, as far as it got. */
export function unswapNames({ live, beside, former, outdated }: NamingFiles): Sh {
  return sh`
    if [ -e ${former} ]; then
      if [ ! -e ${beside} ]; then
        ln -f ${live} ${beside}
        mv -f ${former} ${live}
      elif cmp -s ${former} ${live}; then rm -f ${former}
      fi
    fi
    if [ -e ${outdated} ] && [ ! -e ${former} ]; then mv -f ${outdated} ${former}; fi
  `
}

/** Runs `drop`, a shell function that removes what a file names, and the file, on these; on none that names what is live. */
export function dropNamed({ live }: NamingFiles, functions: Sh, files: readonly string[]): Sh {
  return sh`
    for named in ${files}; do
      if [ ! -e "$named" ]; then continue; fi
      if cmp -s "$named" ${live}; then rm -f "$named"; continue; fi
      ${functions}
      drop "$named"
    done
  `
}
