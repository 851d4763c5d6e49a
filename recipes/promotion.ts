import { type Sh, sh } from '../engine/shell/sh.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'

/** The command that packs what was uploaded of a release and is still there; nothing that builds, hooks or kraft have added. */
export function packRelease(place: Place, release: string): Sh {
  return sh`
    set -e
    export LC_ALL=C
    cd ${layout.release(place, release)}
    {
      cut -z -c 69- .kraft/manifest
      find . -path ./.kraft -prune -o -printf '%P\0'
    } | sort -z | uniq -zd | tar --null --no-recursion -T - -cf - | gzip -1
  `
}

/** The command that lists what is installed in a release's virtualenv, for {@link readInstalled}. Nothing of it is run. */
export function listInstalled(place: Place, release: string): Sh {
  return sh`find ${layout.meta(place, release)}/venv/lib/python3*/site-packages -maxdepth 1 -name '*-info' -printf '%f\n'`
}

/**
 * What {@link listInstalled} printed, as constraints for pip: the very same versions.
 *
 * @example readInstalled('Django-5.2.dist-info\nlegacy-1.0-py3.11.egg-info\n') // ['Django==5.2', 'legacy==1.0']
 */
export function readInstalled(text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((row) => {
      const [, name, version] = /^([^-]+)-([^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info$/.exec(row) ?? []
      return name === undefined || version === undefined ? [] : [`${name}==${version}`]
    })
    .sort()
}
