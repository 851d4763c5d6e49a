import { basename } from 'node:path'
import { sh } from '../../engine/shell/sh.js'
import { layout } from '../../project/layout.js'
import { defineService, type Place } from '../../project/service.js'
import { asInstance } from '../as-instance.js'
import { directory } from '../file.js'

const beside = ({ home }: Place) => `${home}/.uploads.beside`
const former = ({ home }: Place) => `${home}/.uploads.former`
const retired = ({ home }: Place) => `${home}/.uploads.retired`

// Of sizes, a line each. Debian 12's awk prints a sum of 2 GB and more as 6e+09, and what it calls %d ends there.
const counted = sh`awk '{ files++; bytes += $1 } END { printf "files %.0f\nbytes %.0f\n", files, bytes }'`

const count = (folder: string) => sh`find ${folder} -type f -printf '%s\n' | ${counted}`

/** Uploads: a folder that the application writes and nginx serves at /uploads/. */
export const service = defineService({
  name: 'files',
  doc: 'uploads: a folder that the application writes and nginx serves at /uploads/',
  section: {},
  install: () => [],
  setup: (place) => directory({ path: layout.uploads(place), owner: place.name, group: place.name, mode: '0750' }),
  environ: (place) => ({ UPLOADS_PATH: layout.uploads(place), UPLOADS_URL: '/uploads/' }),
  here: ({ folder }) => [
    { what: `${basename(folder)}/uploads`, environ: { UPLOADS_PATH: `${folder}/uploads`, UPLOADS_URL: '/uploads/' } },
  ],
  data: {
    namedByOthers: true,
    member: 'files.tar',
    // The swap is two renames.
    ready: (place) => sh`
      if mountpoint -q ${layout.uploads(place)}; then
        printf '%s is a file system of its own, and no load can rename that. Mount it at %s, with all that is there\n' ${layout.uploads(place)} ${place.home}
        exit 1
      fi
    `,
    // What is counted is what the archive holds, because uploads go on meanwhile. A file with two names is two in there, as it is two when
    // it is loaded.
    dump: (place) => sh`
      {
        tar -C ${layout.uploads(place)} --hard-dereference -cvvf "$KRAFT_OUT" . 2>"$KRAFT_OUT.said" || echo "$?" >"$KRAFT_OUT.code"
      } | awk '/^-/ { print $3 }' | ${counted}
      code=$(cat "$KRAFT_OUT.code" 2>/dev/null || echo 0)
      if [ "$code" != 0 ]; then sed 's/^tar: //' "$KRAFT_OUT.said" >&2; fi
      rm -f "$KRAFT_OUT.said" "$KRAFT_OUT.code"
      # 1 is a file that changed while it was read: whoever dumps hears of it.
      if [ "$code" -gt 1 ]; then exit "$code"; fi
    `,
    // An archive has a header before each, and fills each up to the next 512 bytes.
    size: (place) => sh`
      find ${layout.uploads(place)} -printf '%s\n' | awk '{ sum += int(($1 + 511) / 512) * 512 + 1024 } END { printf "%.0f\n", sum }'
    `,
    count: (place) => count(layout.uploads(place)),
    makeBeside: (place) => sh`
      rm -rf --one-file-system ${beside(place)}
      install -d -o ${place.name} -g ${place.name} -m 0750 ${beside(place)}
    `,
    // As the instance's own user. tar itself refuses a name with "..", and puts one that begins at the root somewhere inside.
    beside: (place) => sh`
      cd ${beside(place)}
      outside=$({
        ${asInstance(place, 'tar', '-x', '-v', '--no-same-owner', '-f', '-')} <"$KRAFT_IN" || echo "/ tar: $?"
      } | awk '/^\// { print; exit }')
      case $outside in
        '') ;;
        '/ tar: '*) exit "\${outside##* }" ;;
        *) printf 'It names a path outside: %s\n' "$outside"; exit 1 ;;
      esac
    `,
    readsOnce: true,
    countBeside: (place) => count(beside(place)),
    copy: (place) => ({ environ: { UPLOADS_PATH: beside(place) } }),
    swap: (place) => sh`
      mv -T ${layout.uploads(place)} ${former(place)}
      mv -T ${beside(place)} ${layout.uploads(place)}
    `,
    undo: (place) => sh`
      if [ -d ${former(place)} ]; then
        if [ -d ${layout.uploads(place)} ]; then mv -T ${layout.uploads(place)} ${beside(place)}; fi
        mv -T ${former(place)} ${layout.uploads(place)}
      fi
    `,
    keep: (place) => sh`if [ -d ${beside(place)} ]; then mv -T ${beside(place)} ${former(place)}; fi`,
    forget: (place) => sh`rm -rf --one-file-system ${former(place)} ${retired(place)}`,
    retire: (place) => sh`
      rm -rf --one-file-system ${retired(place)}
      if [ -d ${former(place)} ]; then mv -T ${former(place)} ${retired(place)}; fi
    `,
    clear: (place) => sh`rm -rf --one-file-system ${retired(place)}`,
    discard: (place) => sh`rm -rf --one-file-system ${beside(place)}`,
  },
  // How many there are takes too long to say where there are very many.
  facts: (place) => sh`
    test -d ${layout.uploads(place)}
    sizes=$(timeout 5 find ${layout.uploads(place)} -type f -printf '%s\n') || exit 0
    printf '%s\n' "$sizes" | awk '/./ { files++; bytes += $1 } END { printf "size %.0f\nfiles %.0f\n", bytes, files }'
  `,
  destroy: (place) => [
    {
      title: 'Uploads',
      check: sh`test ! -e ${layout.uploads(place)} && test ! -e ${former(place)}`,
      apply: sh`rm -rf --one-file-system ${layout.uploads(place)} ${former(place)} ${beside(place)} ${retired(place)}`,
    },
  ],
})
