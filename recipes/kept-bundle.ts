import { type Sh, sh } from '../engine/shell/sh.js'
import { seal } from '../project/bundle.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { bundleFolder, type DataService, receiveBundle, streamBundle } from './bundle.js'

/** The file of a bundle that stays on its node; root's alone. */
export function keptBundle(place: Place, id: string): string {
  return `${layout.dumps(place)}/${id}.bundle`
}

/** Takes the manifest from stdin and puts the bundle together as a file of the node, or leaves none. */
export function keepBundle(place: Place, id: string, services: readonly DataService[]): Sh {
  const path = keptBundle(place, id)
  return sh`
    set -e
    umask 077
    # Also what a kraft has left that was killed.
    rm -f ${layout.dumps(place)}/*.bundle.part
    trap ${sh`rm -f ${`${path}.part`}`.text} EXIT
    (
      ${streamBundle(place, id, services)}
    ) >${`${path}.part`}
    mv -fT ${`${path}.part`} ${path}
  `
}

/**
 * Prints the names of the bundles that stay on the node, the newest first, and after an empty line the manifest of the one that is wanted,
 * or of the newest.
 */
export function findKept(place: Place, wanted = ''): Sh {
  return sh`
    cd ${layout.dumps(place)} 2>/dev/null || exit 0
    names=$(ls -1 | sed -n 's/\.bundle$//p' | sort -r)
    printf '%s\n\n' "$names"
    name=${wanted}
    if [ -z "$name" ]; then name=$(printf '%s\n' "$names" | head -n 1); fi
    # Only one of these names: another could lead elsewhere.
    if printf '%s\n' "$names" | grep -qxF -e "$name"; then tar -xOf "./$name.bundle" manifest.json; fi
  `
}

/** Opens one that stays on the node in a folder of its own, as one that is sent is. Only for whoever holds the instance's lock. */
export function openKept(place: Place, name: string, id: string): Sh {
  return sh`
    (
      ${receiveBundle(place, id)}
    ) <${keptBundle(place, name)}
    cd ${bundleFolder(place, id)} && sha256sum -c --quiet ${seal}
  `
}
