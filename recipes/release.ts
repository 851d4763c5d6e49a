import { isSecret, reveal, type Secret, secret } from '../engine/shell/secret.js'
import { lines, quote, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { directory, file } from './file.js'

/** One release of an instance and one start of its processes. */
export interface Release {
  readonly place: Place
  /** `20261122-215301`: UTC, so that names sort by time. */
  readonly id: string
  /** The start: the release's own id, or a later one for a reload. */
  readonly generation: string
}

/** The id of a release that is made now. */
export function releaseId(now: Date): string {
  return now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
}

/** The time that an id is made of; an invalid date where it is none. */
export function releaseTime(id: string): Date {
  return new Date(id.replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6Z'))
}

/**
 * The id of what is made now, where others are there: that of this second, or of the one behind the newest of them.
 *
 * @example nextId(new Date('2026-11-28T10:15:00Z'), ['20261128-101500']) // '20261128-101501'
 */
export function nextId(now: Date, others: readonly string[]): string {
  const times = others.map((id) => releaseTime(id).getTime()).filter((time) => !Number.isNaN(time))
  return releaseId(new Date(Math.max(now.getTime(), ...times.map((time) => time + 1000))))
}

/** The folder that an upload goes to until it is whole. */
export function incoming({ place, id }: Release): string {
  return `${place.home}/releases/.${id}`
}

/** Puts a release that was put together (recipes/upload.ts) in its place, with what kraft adds to it. */
export function placeRelease(release: Release, given: { readonly venv: string; readonly receipt: unknown }): readonly Step[] {
  const { place, id } = release
  const meta = layout.meta(place, id)
  return [
    {
      title: `Release ${id}`,
      check: sh`test -d ${layout.release(place, id)}`,
      apply: sh`
        chown -hR root:${place.name} ${incoming(release)}
        # What is younger than its manifest counts as changed by somebody.
        touch ${`${incoming(release)}/.kraft/manifest`}
        mv -T ${incoming(release)} ${layout.release(place, id)}
      `,
    },
    ...directory({ path: meta, group: place.name, mode: '0750' }),
    ...directory({ path: `${meta}/bin`, group: place.name, mode: '0750' }),
    ...directory({ path: `${meta}/public`, group: place.name, mode: '0750' }),
    ...directory({ path: `${meta}/public/static`, owner: layout.builder(place), group: place.name, mode: '0750' }),
    ...file({
      path: `${meta}/release.json`,
      content: `${JSON.stringify(given.receipt, null, 2)}\n`,
      group: place.name,
      mode: '0640',
    }),
    {
      title: 'Link to the virtualenv',
      check: sh`test "$(readlink ${`${meta}/venv`})" = ${given.venv}`,
      apply: sh`ln -sfnT ${given.venv} ${`${meta}/venv`}`,
    },
    ...manageShim(release),
  ]
}

// So that `manage.py migrate` works as it is typed, whatever mode and first line the file has.
function manageShim({ place, id }: Release): readonly Step[] {
  const path = `${layout.meta(place, id)}/bin/manage.py`
  const project = layout.release(place, id)
  return [
    {
      title: 'manage.py on PATH',
      check: sh`test ! -e ${`${project}/manage.py`} || test -e ${path}`,
      apply: sh`
        printf '#!/bin/sh\nexec python %s/manage.py "$@"\n' ${project} >${path}
        chown root:${place.name} ${path}
        chmod 0750 ${path}
      `,
    },
  ]
}

/** The environment of a generation, in a file that only root can read, and the link to its socket. */
export function prepareGeneration(release: Release, environ: Readonly<Record<string, string | Secret>>): readonly Step[] {
  const { place, id, generation } = release
  const folder = layout.generation(place, id, generation)
  return [
    ...directory({ path: folder, group: place.name, mode: '0750' }),
    ...file({ path: `${folder}/env`, content: environmentFile(environ), mode: '0600' }),
    {
      title: 'Link to the socket',
      check: sh`test "$(readlink ${`${folder}/web.sock`})" = ${layout.socket(place, generation)}`,
      apply: sh`ln -sfnT ${layout.socket(place, generation)} ${`${folder}/web.sock`}`,
    },
  ]
}

/** Variables as a file that root's shell reads. */
export function environmentFile(environ: Readonly<Record<string, string | Secret>>): Secret {
  const rows = Object.entries(environ).map(([name, value]) => `${name}=${quote(isSecret(value) ? reveal(value) : value)}\n`)
  return secret(rows.join(''), 'environment')
}

/** Runs a command of the project in a generation's environment, before anything has switched to it. */
export function runInGeneration(
  release: Release,
  title: string,
  command: string,
  options: { readonly build?: boolean } = {},
): readonly Step[] {
  const { place, id, generation } = release
  const enter = [
    `${layout.settings(place)}/enter`,
    '--generation',
    layout.generation(place, id, generation),
    ...(options.build === true ? ['--build'] : []),
  ]
  return [{ title, loud: true, apply: sh`exec ${enter} bash -c ${command}` }]
}

/** `current/.kraft/live` of a release that nothing serves yet; with it, renaming `current` switches everything at once. */
export function pointLive({ place, id, generation }: Release): readonly Step[] {
  const live = `${layout.meta(place, id)}/live`
  return [
    {
      title: `Generation ${generation}`,
      check: sh`test "$(readlink ${live})" = ${generation}`,
      apply: lines(renameLink(generation, live)),
    },
  ]
}

/** Puts a link in place in one rename. */
export function renameLink(to: string, path: string): Sh {
  return sh`ln -sfnT ${to} ${`${path}.new`} && mv -fT ${`${path}.new`} ${path}`
}

/**
 * Removes old releases: all but the newest `keep`, the current one and the last good one before it, to which a rollback goes; and
 * virtualenvs that none of them needs.
 */
export function prune(place: Place, keep: number): readonly Step[] {
  return [
    {
      title: `Keep ${keep} releases`,
      quiet: true,
      apply: sh`
        cd ${place.home}/releases
        current=$(readlink ../current)
        current=\${current##*/}
        seen=0 past= good=
        for id in $(ls -1 | sort -r); do
          seen=$((seen + 1))
          # The newest before the current one that has served and is not known to be bad.
          if [ -n "$past" ] && [ -z "$good" ] && [ -e "$id/.kraft/served" ] && [ ! -e "$id/.kraft/bad" ]; then
            good=$id
          elif [ "$id" = "$current" ]; then
            past=1
          elif [ "$seen" -gt ${keep} ]; then
            rm -rf --one-file-system "./$id"
          fi
        done
        rm -rf .[0-9]*
        cd ${place.home}/venvs
        for venv in */; do
          venv=\${venv%/}
          [ -d "$venv" ] || continue
          used=
          for release in ../releases/*/.kraft/venv; do
            if [ "$(readlink "$release")" = "$PWD/$venv" ]; then used=1; fi
          done
          if [ -z "$used" ]; then rm -rf --one-file-system "./$venv"; fi
        done
      `,
    },
  ]
}

/** The mark of a release that somebody has rolled back from; it says who and when. */
export function badMark(place: Place, id: string): string {
  return `${layout.meta(place, id)}/bad`
}

/** Marks the release that is left by a rollback, so that the next one passes it over, and takes that mark off the one that serves. */
export function markBad(release: Release, left: string, by: string): readonly Step[] {
  const { place, id } = release
  return [
    {
      title: `Mark ${left} as bad`,
      quiet: true,
      apply: sh`
        rm -f ${badMark(place, id)}
        if [ -d ${layout.meta(place, left)} ]; then
          printf '%s, %s\n' ${by} "$(date -u '+%F %T UTC')" >${badMark(place, left)}
          chgrp ${place.name} ${badMark(place, left)}
        fi
      `,
    },
  ]
}
