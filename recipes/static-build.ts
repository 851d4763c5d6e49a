import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Application } from './application.js'
import { collected, compressStatic } from './compress.js'
import { type Release, runInGeneration } from './release.js'
import { packageStatic } from './static-files.js'

/** What nginx serves of a new release: built by its framework, and compressed. */
export function buildStatic({ framework, instance, package: name }: Application, release: Release): readonly Step[] {
  const { src } = instance.settings
  return [
    ...(framework.build === undefined ? [] : runInGeneration(release, 'Build static files', framework.build, { build: true })),
    ...compressStatic(release, packageStatic({ src, package: name })),
  ]
}

/** The same where code alone has changed: what the release that serves has, twins included. Fails where none serves. */
export function takeStatic(release: Release): readonly Step[] {
  const { place } = release
  return [
    {
      title: 'Static files of the release that serves',
      quiet: true,
      as: layout.builder(place),
      apply: sh`
        umask 027
        former=$(readlink -f ${layout.current(place)} || :)/.kraft/public/static
        if [ ! -d "$former" ]; then
          echo 'No release serves yet, so there are no static files to take; deploy without --code-only'
          exit 1
        fi
        cp -R --preserve=timestamps,links --reflink=auto "$former/." ${collected(release)}
      `,
    },
  ]
}
