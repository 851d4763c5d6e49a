import { posix } from 'node:path'
import * as v from 'valibot'
import { isSecret, reveal, type Secret, secret } from '../../engine/shell/secret.js'
import { lines, type Sh, sh } from '../../engine/shell/sh.js'
import type { Step } from '../../engine/step/step.js'
import { render } from '../../engine/template/render.js'
import { layout } from '../../project/layout.js'
import { defineService, type Place } from '../../project/service.js'
import { asInstance } from '../as-instance.js'
import { directory, file } from '../file.js'
import { dropNamed, keepNames, namingFiles, swapNames, unswapNames } from '../named-by-file.js'
import { orVault } from '../or-vault.js'
import { environmentFile } from '../release.js'

const name = 'couchdb'
// The server as it is set, and in another file what the databases' names begin with, which a load changes.
const made = (place: Place) => layout.made(place, name)
const server = (place: Place) => `${made(place)}.server`
const files = (place: Place) => namingFiles(`${made(place)}.prefix`)

/** Shell functions: `client FILE WORDS` asks the server, as the instance's user, for the databases that a file names. */
const ask = (place: Place, from: Sh = sh`${server(place)}`): Sh => sh`
  program=${String(render('services/couchdb.py'))}
  client() { (set -a; . ${from}; . "$1"; shift; exec ${asInstance(place, 'python3', '-I', '-c')} "$program" "$@"); }
  drop() { client "$1" drop; rm -f "$1"; }
  # Databases of this instance that nobody has had yet.
  name() {
    number=$(client /dev/null free ${place.name})
    printf "COUCHDB_PREFIX='%s_%s_'\n" ${place.name} "$number" >"$1.new"
    mv -f "$1.new" "$1"
  }
`

const text = v.pipe(v.string(), v.nonEmpty('some text'))
const hidden = v.pipe(
  text,
  v.transform((value) => secret(value, 'couchdb.password')),
)

/** Databases on a server elsewhere, whose names begin with the instance's. */
export const service = defineService({
  name,
  doc: "CouchDB: the instance's own databases on a server elsewhere, over its HTTP API",
  section: {
    url: {
      schema: v.pipe(
        v.string(),
        v.regex(
          /^https?:\/\/[^\s/@'"\\]+(\/[^\s@'"\\]*)?$/,
          'an address without user and password, as in https://couch.example.com',
        ),
      ),
      doc: 'Address of the server',
      example: 'https://couch.example.com:6984',
    },
    user: { schema: v.optional(text), doc: 'Who kraft and the application are there', example: 'shop' },
    password: {
      schema: v.optional(orVault(hidden)),
      doc: 'The password of `user`, or where a vault has it',
      example: { op: 'op://shop/couchdb/password' },
      secret: true,
    },
    databases: {
      schema: v.optional(v.array(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_-]*$/, 'small letters, digits, _ and -'))), []),
      doc: 'Databases that are made, without what their names begin with',
      example: ['pages'],
    },
  },
  install: () => [],
  setup: (place, { url, user, password, databases }) => {
    const wanted = Array.isArray(databases) ? databases.map(String) : []
    const { live } = files(place)
    return [
      ...directory({ path: posix.dirname(made(place)), mode: '0700' }),
      ...serverFile(place, String(url), user, password),
      ...file({ path: made(place), content: `. ${server(place)}\n. ${live}\n`, mode: '0600' }),
      {
        title: `Databases of ${place.name} on CouchDB`,
        check: lines(ask(place), sh`test -s ${live} && client ${live} check ${wanted} 2>/dev/null`),
        apply: lines(
          ask(place),
          sh`
          umask 077
          if [ ! -s ${live} ]; then name ${live}; fi
          client ${live} create ${wanted}
          client ${live} check ${wanted}
        `,
        ),
      },
    ]
  },
  environ: () => ({}),
  made: ['COUCHDB_URL', 'COUCHDB_PREFIX'],
  data: {
    member: 'couchdb.jsonl.zst',
    dump: (place) =>
      lines(
        ask(place),
        sh`
        client ${files(place).live} dump 3>"$KRAFT_OUT.jsonl"
        zstd -q -f --rm "$KRAFT_OUT.jsonl" -o "$KRAFT_OUT"
      `,
      ),
    beside: (place) =>
      lines(
        ask(place),
        sh`
        umask 077
        if [ -e ${files(place).beside} ]; then drop ${files(place).beside}; fi
        name ${files(place).beside}
        zstd -dcq <"$KRAFT_IN" | client ${files(place).beside} load
      `,
      ),
    count: (place) => lines(ask(place), sh`client ${files(place).live} count`),
    countBeside: (place) => lines(ask(place), sh`client ${files(place).beside} count`),
    swap: (place) => swapNames(files(place)),
    undo: (place) => unswapNames(files(place)),
    keep: (place) => keepNames(files(place)),
    forget: (place) => dropNamed(files(place), files(place).former, ask(place)),
    discard: (place) => dropNamed(files(place), files(place).beside, ask(place)),
  },
  facts: (place) => lines(ask(place), sh`client ${files(place).live} facts`),
  destroy: (place) => [
    {
      title: `Databases of ${place.name} on CouchDB`,
      check: sh`! ls ${made(place)}* >/dev/null 2>&1`,
      apply: lines(
        ask(place),
        sh`
        for each in ${files(place).live}*; do
          if [ -e "$each" ]; then drop "$each"; fi
        done
        rm -f ${made(place)} ${made(place)}.*
      `,
      ),
    },
  ],
})

/** The server, once it lets us in. */
function serverFile(place: Place, url: string, user: unknown, password: unknown): readonly Step[] {
  const signed = new URL(url)
  signed.username = encodeURIComponent(String(user ?? ''))
  // Nothing but words in a dry run, which does not know what a vault has.
  signed.password = encodeURIComponent(isSecret(password) ? reveal(password) : String(password ?? ''))
  const address: Secret = secret(signed.href.replace(/\/$/, ''), 'couchdb.url')
  return file({
    path: server(place),
    content: environmentFile({ COUCHDB_URL: address }),
    mode: '0600',
    validate: lines(ask(place, sh`"$KRAFT_FILE"`), sh`client /dev/null check`),
  })
}
