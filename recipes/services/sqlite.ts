import { basename } from 'node:path'
import { type Sh, sh } from '../../engine/shell/sh.js'
import { layout } from '../../project/layout.js'
import { defineService, type Place } from '../../project/service.js'
import { apt } from '../apt.js'
import { asInstance } from '../as-instance.js'
import { directory } from '../file.js'

const folder = (place: Place) => layout.service(place, 'sqlite')
const database = (place: Place) => `${folder(place)}/db.sqlite3`
const beside = (place: Place) => `${folder(place)}/beside`
const former = (place: Place) => `${folder(place)}/former`

const sqlite = (place: Place, file: string | Sh, ...statements: readonly (string | Sh)[]) =>
  sh`${asInstance(place, 'sqlite3', '-batch', '-bail', '-cmd', '.timeout 30000')} ${[file, ...statements]}`

// One statement a table. Virtual ones are made of tables that are counted, and may need a module that is not here.
const countStatements = `SELECT 'SELECT ' || quote('rows.' || name) || ' || '' '' || count(*) FROM "' || replace(name, '"', '""') || '";'
  FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name`
const count = (place: Place, file: string | Sh) => sh`
  statements=$(${sqlite(place, file, countStatements)})
  printf '%s\n' "$statements" | ${sqlite(place, file)}
`

const environOf = (file: string) => ({ DATABASE_URL: `sqlite:///${file}`, SQLITE_PATH: file })

const emptyFolder = (place: Place, path: string) => sh`
  rm -rf --one-file-system ${path}
  install -d -o ${place.name} -g ${place.name} -m 0700 ${path}
`

/**
 * The database is a link into a folder that the application can write. SQLite follows it to the file, and keeps the file's journal
 * beside that: whoever still has the former file open after a swap has the former journal too, and can't spoil the new one.
 */
const linkTo = (place: Place, to: Sh) => sh`
  ln -sfT ${to}/db.sqlite3 ${`${folder(place)}/.new`}
  mv -fT ${`${folder(place)}/.new`} ${database(place)}
`
// The folder that the link leads to, in the shell variable `live`.
const findLive = (place: Place) => sh`live=$(dirname "$(readlink ${database(place)})")`

// A folder that no data have had yet, in the shell variable `next`.
const next = sh`next=data-$((\${live#data-} + 1)); while [ -e "$next" ]; do next=data-$((\${next#data-} + 1)); done`

/** A file that outlives releases. */
export const service = defineService({
  name: 'sqlite',
  doc: 'SQLite: a database in a file that outlives releases',
  section: {},
  install: () => apt('sqlite3'),
  setup: (place) => [
    ...directory({ path: folder(place), group: place.name, mode: '0750' }),
    {
      title: `Database file of ${place.name}`,
      check: sh`test -L ${database(place)} && test -e ${database(place)}`,
      // Readers and a writer at the same time, as processes of a site are.
      apply: sh`
        if [ ! -L ${database(place)} ]; then
          install -d -o ${place.name} -g ${place.name} -m 0700 ${`${folder(place)}/data-1`}
          ${linkTo(place, sh`data-1`)}
        fi
        ${sqlite(place, database(place), 'PRAGMA journal_mode = WAL')} >/dev/null
      `,
    },
  ],
  environ: (place) => environOf(database(place)),
  here: (developer) => [
    { what: `${basename(developer.folder)}/db.sqlite3`, environ: environOf(`${developer.folder}/db.sqlite3`) },
  ],
  data: {
    member: 'sqlite.db',
    // A backup in a transaction: others go on writing, and it has what was there when it began.
    dump: (place) => sh`
      # Also what those have left that were killed. One of its own, because a backup may run as well.
      find ${folder(place)} -mindepth 1 -maxdepth 1 -name 'copy-*' -mmin +1440 -exec rm -rf --one-file-system {} +
      copy=$(mktemp -d ${folder(place)}/copy-XXXXXX)
      trap 'rm -rf --one-file-system "$copy"' EXIT
      chown ${place.name}:${place.name} "$copy"
      ${sqlite(place, database(place), 'BEGIN', 'SELECT count(*) FROM sqlite_master', sh`".backup $copy/db.sqlite3"`)} >/dev/null
      ${asInstance(place, 'cat')} "$copy/db.sqlite3" >"$KRAFT_OUT"
      ${count(place, sh`"$copy/db.sqlite3"`)}
    `,
    // The copy, and what is made of it.
    size: (place) =>
      sqlite(place, database(place), 'SELECT 2 * page_count * page_size FROM pragma_page_count(), pragma_page_size()'),
    count: (place) => count(place, database(place)),
    beside: (place) => sh`
      ${emptyFolder(place, beside(place))}
      ${asInstance(place, 'sh', '-c', 'umask 077; cat >"$0"', `${beside(place)}/db.sqlite3`)} <"$KRAFT_IN"
      said=$(${sqlite(place, `${beside(place)}/db.sqlite3`, 'PRAGMA quick_check')})
      if [ "$said" != ok ]; then printf '%s\n' "$said"; exit 1; fi
    `,
    countBeside: (place) => count(place, `${beside(place)}/db.sqlite3`),
    copy: (place) => ({
      environ: environOf(`${beside(place)}/db.sqlite3`),
      sql: sqlite(place, `${beside(place)}/db.sqlite3`),
    }),
    swap: (place) => sh`
      ${findLive(place)}
      cd ${folder(place)}
      ${next}
      mv -T beside "$next"
      ln -sT "$live" former
      ${linkTo(place, sh`"$next"`)}
    `,
    undo: (place) => sh`
      if [ ! -L ${former(place)} ]; then exit 0; fi
      ${findLive(place)}
      cd ${folder(place)}
      kept=$(readlink former)
      if [ "$kept" != "$live" ]; then
        ${linkTo(place, sh`"$kept"`)}
        rm -rf --one-file-system beside
        mv -T "$live" beside
      fi
      rm -f former
    `,
    keep: (place) => sh`
      ${findLive(place)}
      cd ${folder(place)}
      if [ ! -d beside ]; then exit 0; fi
      ${next}
      mv -T beside "$next"
      ln -sfT "$next" former
    `,
    // Also what a crash has left.
    forget: (place) => sh`
      ${findLive(place)}
      cd ${folder(place)}
      rm -f former
      for each in data-*; do
        if [ "$each" != "$live" ]; then rm -rf --one-file-system "$each"; fi
      done
    `,
    discard: (place) => sh`rm -rf --one-file-system ${beside(place)}`,
  },
  shell: (place) => ['sqlite3', database(place)],
  facts: (place) => sh`
    echo "version $(sqlite3 --version | cut -d ' ' -f 1)"
    ${sqlite(place, database(place), "SELECT 'size ' || (page_count * page_size) FROM pragma_page_count(), pragma_page_size()")}
  `,
  destroy: (place) => [
    {
      title: 'Database file',
      check: sh`test ! -e ${folder(place)}`,
      apply: sh`rm -rf --one-file-system ${folder(place)}`,
    },
  ],
})
