import { type Sh, sh } from '../engine/shell/sh.js'

/** The files that name data: what is live, what a load puts beside it, and what was live before. */
export interface NamingFiles {
  readonly live: string
  readonly beside: string
  readonly former: string
}

/** The files beside the one that names what is live. */
export function namingFiles(live: string): NamingFiles {
  return { live, beside: `${live}.beside`, former: `${live}.former` }
}

/**
 * Swaps data that nobody can rename, such as a vhost of RabbitMQ: the application is told by a file which one is its own, so the files
 * are swapped, whatever the size of what they name. It takes that up when its processes start anew.
 *
 * @example swapNames(namingFiles(layout.made(place, 'rabbitmq')))
 */
export function swapNames({ live, beside, former }: NamingFiles): Sh {
  return sh`
    test -e ${beside}
    ln -f ${live} ${former}
    mv -f ${beside} ${live}
  `
}

/** Takes {@link swapNames} back, as far as it got. */
export function unswapNames({ live, beside, former }: NamingFiles): Sh {
  return sh`
    if [ -e ${former} ]; then
      if [ ! -e ${beside} ]; then ln ${live} ${beside}; fi
      if cmp -s ${beside} ${live}; then mv -f ${former} ${live}
      elif cmp -s ${former} ${live}; then rm -f ${former}
      fi
    fi
  `
}

/** What lies beside becomes the former. */
export function keepNames({ beside, former }: NamingFiles): Sh {
  return sh`if [ -e ${beside} ]; then mv -fT ${beside} ${former}; fi`
}

/** Runs `drop`, a shell function that removes what a file names, and the file; nothing that is live goes with it. */
export function dropNamed({ live }: NamingFiles, file: string, functions: Sh): Sh {
  return sh`
    if [ ! -e ${file} ]; then exit 0; fi
    if cmp -s ${file} ${live}; then rm -f ${file}; exit 0; fi
    ${functions}
    drop ${file}
  `
}
