import { type Sh, sh } from '../engine/shell/sh.js'
import { drain } from '../engine/transfer/drain.js'
import { differs } from '../engine/transfer/upload.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { incoming, type Release } from './release.js'

/** So many releases are looked at: the one that serves, and the newest. */
const newest = 3

/**
 * The command that answers `askHeld` (engine/transfer/upload.ts) with the releases that have served. Whatever was changed in one
 * since it was put together, by a hook or by hand, has a younger time of change than its manifest.
 */
export function heldReleases(place: Place): Sh {
  return sh`
    export LC_ALL=C
    cd ${place.home}/releases 2>/dev/null || { : | gzip; exit 0; }
    known=$(cat)
    current=$(readlink ${layout.current(place)} || :)
    list() {
      seen= found= first=
      for id in "\${current##*/}" $(ls -1 | sort -r); do
        case $seen in *" $id "*) continue ;; esac
        seen="$seen $id "
        if ! [ -f "$id/.kraft/manifest" ] || ! [ -e "$id/.kraft/served" ]; then continue; fi
        digest=$(sha256sum <"$id/.kraft/manifest")
        digest=\${digest%% *}
        printf 'R %s %s\0' "$id" "$digest"
        find "$id" -path "$id/.kraft" -prune -o ! -type d -cnewer "$id/.kraft/manifest" -printf 'T %P\0'
        case $known in *"$digest"*) found=1 ;; esac
        first=\${first:-$id} count=$((\${count:-0} + 1))
        if [ "$count" = ${newest} ]; then break; fi
      done
      if [ -z "$found" ] && [ -n "$first" ]; then sed -z 's/^/M /' "$first/.kraft/manifest"; fi
    }
    list | gzip -1
  `
}

/**
 * The command that takes what `sendShipment` sends and puts a release together, in a folder beside the others that is renamed when
 * all of it is proven. Files of earlier releases are copied (where the file system can, without taking room), never linked:
 * whatever a hook or a build does to a file of one release, no other has it.
 */
export function assembleRelease(release: Release): Sh {
  const { place } = release
  const folder = incoming(release)
  return sh`
    set -e
    umask 077
    export LC_ALL=C
    # It may have been started before there was anything to send.
    read -r size digest base || exit 1
    trap ${sh`code=$?; cd /; if [ "$code" != 0 ]; then rm -rf ${folder}; fi`.text} EXIT
    trap 'exit 1' HUP INT TERM PIPE
    mkdir -p ${place.home}/releases
    rm -rf ${folder}
    mkdir ${folder} ${folder}/.kraft ${folder}/.kraft/lists
    cd ${folder}
    lists=.kraft/lists
    of() { grep -z "^[$1] " "$2" | cut -z -c "$3-"; }
    head -c "$size" | gzip -d | while read -r length name; do head -c "$length" >"$lists/$name"; done
    if [ -n "$base" ]; then
      base=../$base
      comm -z -23 "$base/.kraft/manifest" $lists/removed | sort -z -m - $lists/added >.kraft/manifest
    else
      mv $lists/added .kraft/manifest
    fi
    if ! printf '%s  .kraft/manifest\n' "$digest" | sha256sum -c --status; then
      echo 'The manifest of the release that this one is based on is another one now'
      exit ${differs}
    fi
    tar -xz --no-same-owner --no-same-permissions -f -
    ${drain}
    # What can't be copied is missed below, where all is proven.
    copy='--no-dereference --preserve=timestamps --reflink=auto'
    if [ -n "$base" ]; then
      comm -z -12 "$base/.kraft/manifest" .kraft/manifest | comm -z -23 - $lists/again >$lists/same
      of fx $lists/same 69 >$lists/kept || :
      here=$PWD
      (cd "$base" && xargs -0 -r cp $copy --parents -t "$here" -- <"$here/$lists/kept") || :
    fi
    xargs -0 -r -n 2 cp $copy -- <$lists/copies || :
    find . -path ./.kraft -prune -o -type f -printf '%P\0' | xargs -0 -r sha256sum -z -- | sort -z >$lists/files-here
    find . -path ./.kraft -prune -o -type l -printf '%P\0' | sort -z >$lists/links-here
    of fx .kraft/manifest 3 | sort -z >$lists/files-wanted || :
    of l .kraft/manifest 69 | sort -z >$lists/links-wanted || :
    wrong=$({ comm -z -3 $lists/files-wanted $lists/files-here; comm -z -3 $lists/links-wanted $lists/links-here; } | head -z -n 5 | tr '\0' '\n')
    if [ -n "$wrong" ]; then
      printf 'Not what the manifest says:\n%s\n' "$wrong"
      exit ${differs}
    fi
    find . -type d -exec chmod 0750 {} +
    of f .kraft/manifest 69 | xargs -0 -r chmod 0640 --
    of x .kraft/manifest 69 | xargs -0 -r chmod 0750 --
    rm -r $lists
    chmod 0640 .kraft/manifest
    # All that changes later is younger than this.
    touch .kraft/manifest
  `
}
