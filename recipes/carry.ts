import { type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { drain } from '../engine/transfer/drain.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { asInstance } from './as-instance.js'

// What a node keeps of an instance that nobody could make anew: variables that were set, the secret key, who has an account, counts,
// certificates. What a service has made for itself is made on each node.
const kept = ['environ', 'environ.history', 'generated', 'superusers', 'scale', 'https']
// What each node's own nginx is told of TLS: another version knows other words, and it may have no IPv6.
const ofNode = ['https/server.conf', 'https/on.conf', 'https/before']

/** Puts what a node keeps of an instance to stdout, as tar; secrets are in it. */
export function packKept(place: Place): Sh {
  return sh`
    set -e
    cd ${layout.settings(place)}
    for each in ${kept}; do if [ -e "$each" ]; then echo "$each"; fi; done | tar --numeric-owner ${ofNode.map((each) => `--exclude=${each}`)} -cf - -T -
  `
}

/** Takes it from stdin, and puts it in the place of what is there. */
export function unpackKept(place: Place): Sh {
  const beside = `${layout.settings(place)}/.carried`
  return sh`
    set -e
    umask 077
    rm -rf ${beside}
    mkdir ${beside}
    tar -xpf - --no-same-owner -C ${beside}
    ${drain}
    cd ${layout.settings(place)}
    if [ -e ${beside}/https ]; then
      for each in ${ofNode}; do
        if [ -e "$each" ]; then cp -p "$each" ${beside}/"$each"; fi
      done
    fi
    for each in ${kept}; do
      rm -rf "$each"
      if [ -e ${beside}/"$each" ]; then mv ${beside}/"$each" "$each"; fi
    done
    rm -rf ${beside}
  `
}

// Of the instance's own, beside what its services have.
const folders = ['shared', 'home']
const beside = (place: Place) => `${place.home}/.carried`

/** Puts paths that outlive releases, and the instance's home, to stdout as tar, read as the instance's own user. */
export function packFolders(place: Place): Sh {
  return sh`
    cd ${place.home}
    code=0
    ${asInstance(place, 'tar', '--one-file-system', '--exclude=home/.cache', '-cf', '-', ...folders)} || code=$?
    # 1 is a file that changed while it was read, which the last time there is none.
    if [ "$code" -gt 1 ]; then exit "$code"; fi
  `
}

/** Takes them from stdin, as the instance's own user, and puts them in the place of what is there. */
export function unpackFolders(place: Place): Sh {
  return sh`
    set -e
    rm -rf --one-file-system ${beside(place)}
    install -d -o ${place.name} -g ${place.name} -m 0700 ${beside(place)}
    cd ${beside(place)}
    ${asInstance(place, 'tar', '-xp', '--no-same-owner', '-f', '-')}
    ${drain}
    for each in ${folders}; do
      rm -rf --one-file-system ${place.home}/".$each.former"
      mv -T ${place.home}/"$each" ${place.home}/".$each.former"
      mv -T "$each" ${place.home}/"$each"
      rm -rf --one-file-system ${place.home}/".$each.former"
    done
    cd /
    rm -rf --one-file-system ${beside(place)}
  `
}

/** Prints what is in them, by number and as one sum of all names and sizes, to be compared. */
export function describeFolders(place: Place): Sh {
  const find = asInstance(place, 'find', ...folders, '-path', 'home/.cache', '-prune', '-o', '-type', 'f', '-printf', '%p %s\\n')
  return sh`
    set -e
    cd ${place.home}
    found=$(${find})
    found=$(printf '%s\n' "$found" | LC_ALL=C sort)
    # Not by %d, which for one awk ends at 2 GB and for another does not.
    printf '%s\n' "$found" | awk '/./ { files++; bytes += $NF } END { printf "%.0f files, %.0f bytes, ", files, bytes }'
    printf '%s\n' "$found" | sha256sum | cut -c 1-16
  `
}

/** What a maintenance page needs: link and folder of a site that is closed. */
export function packClosed(place: Place): Sh {
  return sh`
    if [ ! -L ${`${layout.closed(place)}/maintenance`} ]; then exec tar -cf - -T /dev/null; fi
    cd ${layout.closed(place)}
    tar -cf - maintenance maintenance.*
  `
}

/** Closes the site on another node just so; one that is open there as well. */
export function unpackClosed(place: Place): Sh {
  return sh`
    set -e
    install -d -o root -g ${place.name} -m 0750 ${layout.closed(place)}
    cd ${layout.closed(place)}
    rm -rf maintenance maintenance.*
    tar -xpf - --no-same-owner
    ${drain}
    for each in maintenance maintenance.*; do
      if [ -e "$each" ]; then chgrp -hR ${place.name} "$each"; fi
    done
  `
}

/** Has a node keep nothing of the first sync beside the data that were moved. */
export function noneCarried(place: Place): readonly Step[] {
  return [
    {
      title: 'Nothing is left of what was on its way',
      quiet: true,
      apply: sh`rm -rf --one-file-system ${beside(place)} ${`${layout.settings(place)}/.carried`}`,
    },
  ]
}
