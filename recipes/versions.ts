import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Release } from './release.js'

/** Prints `python=3.11.2 gunicorn=23.0.0 django=5.2` of a release's virtualenv, for the packages that are named. */
export function versions({ place, id }: Release, names: readonly string[]): readonly Step[] {
  const venv = `${layout.meta(place, id)}/venv`
  return [
    {
      title: 'Versions',
      quiet: true,
      apply: sh`
        printf 'versions python=%s' "$(sed -n 's/^version *= *//p' ${venv}/pyvenv.cfg)"
        cd ${venv}/lib/python*/site-packages
        for name in ${names}; do
          for info in "$name"-*.dist-info; do
            [ -d "$info" ] || continue
            info=\${info%.dist-info}
            printf ' %s=%s' "$name" "\${info##*-}"
          done
        done
        echo
      `,
    },
  ]
}

/** Finds what {@link versions} printed among the lines that steps printed. */
export function readVersions(lines: readonly string[]): Readonly<Record<string, string>> {
  const line = lines.find((each) => each.startsWith('versions '))
  const pairs = line?.split(' ').slice(1) ?? []
  return Object.fromEntries(pairs.map((pair) => pair.split('=')).map(([name = '', version = '']) => [name, version]))
}
