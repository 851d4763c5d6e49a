import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { directory } from './file.js'
import type { Release } from './release.js'

const hex = '(?=[0-9]*[a-f])[0-9a-f]{8,64}'
// Rollup and Vite: eight letters of base64. A word in camel case is not one: it has a digit, a small and two capital letters.
const base64 = '(?=[A-Za-z_-]*[0-9])(?=[A-Z0-9_-]*[a-z])(?=[a-z0-9_-]*[A-Z][a-z0-9_-]*[A-Z])[A-Za-z0-9_-]{8}'
// esbuild: eight letters of base32, with a digit before a letter.
const base32 = '(?=[A-Z]*[2-7]+[A-Z])[A-Z2-7]{8}'

/**
 * The path of a file whose name carries a hash of its content, as a regular expression of nginx: such a file never changes. Plain
 * digits are none: they may be a date.
 */
export const hashedName = `(?:[.-](?:${hex}|${base64}|${base32})|/(?=[0-9a-f]{16})${hex})(?:\\.[A-Za-z0-9]+)+$`

/** The package's own static files, in a release. */
export function packageStatic(given: {
  readonly src: string | undefined
  readonly package: string | undefined
}): string | undefined {
  if (given.package === undefined) return undefined
  return [given.src, given.package, 'static'].filter((part) => part !== undefined).join('/')
}

/** Numbers for as many of the newest releases as nginx looks through for a file with a hash in its name that the current one lacks. */
export const releaseNumbers = [1, 2, 3, 4, 5] as const

/**
 * Gives the newest releases their numbers, this one among them: links in a folder, which nginx's configuration can name. Those that
 * have one keep it, so that a file that is being asked for is found all the while.
 */
export function numberReleases({ place, id }: Release): readonly Step[] {
  const folder = `${place.home}/former`
  return [
    ...directory({ path: folder, group: place.name, mode: '0750' }),
    {
      title: 'Static files of former releases stay reachable',
      quiet: true,
      check: sh`
        cd ${folder}
        for number in ${releaseNumbers}; do
          if [ "$(readlink "$number")" = ${`../releases/${id}`} ]; then exit 0; fi
        done
        exit 1
      `,
      apply: sh`
        cd ${folder}
        newest=" $(ls -1 ../releases | sort -r | head -n ${releaseNumbers.length} | tr '\n' ' ')"
        numbered=' ' free=
        for number in ${releaseNumbers}; do
          release=$(readlink "$number" || :)
          release=\${release##*/}
          case $newest in
            *" $release "*) numbered="$numbered$release " ;;
            *) free="$free $number" ;;
          esac
        done
        set -- $free
        for release in $newest; do
          case $numbered in *" $release "*) continue ;; esac
          ln -sfnT "../releases/$release" "$1.new"
          mv -fT "$1.new" "$1"
          shift
        done
      `,
    },
  ]
}
