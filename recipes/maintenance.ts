import { readFileSync } from 'node:fs'
import { KraftError } from '../engine/errors/failure.js'
import type { Secret } from '../engine/shell/secret.js'
import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { templateNames } from '../engine/template/find.js'
import { locateTemplate } from '../engine/template/list.js'
import { render } from '../engine/template/render.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { directory } from './file.js'
import { renameLink } from './release.js'
import { sayStopped } from './stopped.js'

/** What visitors get while a site is closed for maintenance, and who gets through. */
export interface Maintenance {
  /** Names the folder of this time: no other has it. */
  readonly id: string
  readonly message: string | undefined
  /** Seconds. */
  readonly retryAfter: number
  /** Addresses of visitors that see the site all the same, as nginx writes them. */
  readonly allow: readonly string[]
  /** 32 hex digits: whoever has them in a cookie gets through. */
  readonly token: Secret
  /** What is kept on the node, for whoever asks for the state. */
  readonly note: unknown
}

const link = (place: Place) => `${layout.closed(place)}/maintenance`

/** Fails where nginx does not look at these files: the site is older than they are, or a template of the user's own. */
export function closableSite(place: Place): readonly Step[] {
  const site = `/etc/nginx/sites-enabled/${place.name}.conf`
  return [
    {
      title: 'nginx asks whether the site is closed',
      check: sh`grep -qsF ${layout.closed(place)} ${site}`,
      apply: sh`
        printf '%s does not ask for %s\n' ${site} ${layout.closed(place)}
        echo 'Deploy once; if the project has a template nginx/site.conf of its own, it needs the line that includes nginx/closed.conf'
        exit 1
      `,
    },
  ]
}

// Of two at once neither removes what the other is about to link.
const alone = (place: Place) => sh`
  exec 7<${layout.closed(place)}
  flock 7
`

/** Closes a site: all of it is put together in a folder, which one rename of a link makes count. */
export function closeSite(place: Place, given: Maintenance): readonly Step[] {
  const folder = `${link(place)}.${given.id}.${given.retryAfter}`
  const assets = pageAssets()
  const page = render('nginx/maintenance.html', { place, html, message: given.message, retryAfter: given.retryAfter })
  return [
    ...directory({ path: layout.closed(place), group: place.name, mode: '0750' }),
    {
      title: `Close the site (503, Retry-After: ${given.retryAfter})`,
      files: {
        page,
        note: `${JSON.stringify(given.note)}\n`,
        token: given.token,
        ...Object.fromEntries(assets.map(({ base64 }, index) => [`asset${index}`, base64])),
      },
      apply: lines(
        sh`
          umask 027
          ${alone(place)}
          rm -rf ${folder}
          mkdir ${[folder, ...['assets', 'allow', 'bypass'].map((name) => `${folder}/${name}`)]}
          cat "$KRAFT_STEP/page" >${folder}/index.html
          cat "$KRAFT_STEP/note" >${folder}/note.json
          # A redirection: nothing secret is in any argument.
          : >${folder}/bypass/"$(cat "$KRAFT_STEP/token")"
        `,
        ...given.allow.map((address) => sh`: >${`${folder}/allow/${address}`}`),
        ...assets.flatMap(({ path }, index) => [
          sh`mkdir -p "$(dirname ${`${folder}/assets/${path}`})"`,
          sh`base64 -d <"$KRAFT_STEP/"${`asset${index}`} >${`${folder}/assets/${path}`}`,
        ]),
        sh`
          chgrp -R ${place.name} ${folder}
          ${renameLink(folder.slice(folder.lastIndexOf('/') + 1), link(place))}
          for old in ${link(place)}.*; do
            if [ "$old" != ${folder} ]; then rm -rf "$old"; fi
          done
        `,
      ),
      diff: sh`
        old=${link(place)}/index.html
        if [ ! -f "$old" ]; then old=/dev/null; fi
        diff -u --label 'page of the site' --label 'page of the site (new)' "$old" "$KRAFT_STEP/page" || :
      `,
    },
  ]
}

/** Opens it again: one link goes, and with it whoever got through by cookie. */
export function openSite(place: Place): readonly Step[] {
  return [
    {
      title: 'Open the site',
      check: sh`test ! -L ${link(place)} && ! ls -d ${link(place)}.* >/dev/null 2>&1`,
      apply: sh`
        ${alone(place)}
        rm -f ${link(place)}
        rm -rf ${link(place)}.*
      `,
    },
  ]
}

/** Prints the note of a site that is closed for maintenance, and `stopped` where it is that. */
export function closedState(place: Place) {
  return sh`
    ${sayStopped(place)}
    cat ${link(place)}/note.json 2>/dev/null || :
  `
}

/** Text as HTML. */
function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const mostBytes = 1024 * 1024

/** Pictures and styles of the page: what templates have in nginx/maintenance/. The page finds them at /.kraft/maintenance/. */
function pageAssets(): readonly { readonly path: string; readonly base64: string }[] {
  const folder = 'nginx/maintenance/'
  return templateNames()
    .filter((name) => name.startsWith(folder))
    .map((name) => {
      const content = readFileSync(locateTemplate(name).file)
      if (content.length > mostBytes) {
        throw new KraftError({
          kind: 'setting',
          place: { file: locateTemplate(name).file },
          message: 'A file of the maintenance page can have 1 MB at the most',
          next: 'Make it smaller',
        })
      }
      return { path: name.slice(folder.length), base64: content.toString('base64') }
    })
}
