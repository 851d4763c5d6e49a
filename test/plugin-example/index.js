import { KraftError, provider, result, schema, service, sh, task } from 'kraftwerk'
import { notesFolder } from './recipe.js'

export { notesFolder } from './recipe.js'

const folder = ({ home }) => `${home}/notes`
const beside = ({ home }) => `${home}/.notes.beside`
const former = ({ home }) => `${home}/.notes.former`
const count = (path) => sh`printf 'notes %s\n' "$(find ${path} -type f | wc -l)"`

/** A folder of notes that the application writes. */
export const notes = service({
  name: 'notes',
  doc: 'a folder of notes that the application writes',
  schema: schema.object({
    motto: schema.pipe(schema.string(), schema.description('What the first note says'), schema.examples(['be brief'])),
    pages: schema.optional(schema.pipe(schema.number(), schema.maxValue(9, 'at most 9'), schema.description('How many')), 3),
  }),
  setup: (place, { motto }) => [
    ...notesFolder(folder(place), place.name),
    {
      title: 'First note',
      check: sh`test -e ${`${folder(place)}/first`}`,
      apply: sh`printf '%s\n' ${motto} >${`${folder(place)}/first`}; chown ${place.name}: ${`${folder(place)}/first`}`,
    },
  ],
  environ: (place, { pages }) => ({ NOTES_PATH: folder(place), NOTES_PAGES: String(pages) }),
  data: {
    member: 'notes.tar',
    dump: (place) => sh`
      tar -C ${folder(place)} -cf "$KRAFT_OUT" .
      ${count(folder(place))}
    `,
    beside: (place) => sh`
      rm -rf --one-file-system ${beside(place)}
      install -d -o ${place.name} -g ${place.name} -m 0750 ${beside(place)}
      cd ${beside(place)}
      exec setpriv --reuid ${place.name} --regid ${place.name} --init-groups tar -x --no-same-owner -f - <"$KRAFT_IN"
    `,
    count: (place) => count(folder(place)),
    countBeside: (place) => count(beside(place)),
    swap: (place) => sh`
      mv -T ${folder(place)} ${former(place)}
      mv -T ${beside(place)} ${folder(place)}
    `,
    undo: (place) => sh`
      if [ -d ${former(place)} ]; then
        if [ -d ${folder(place)} ]; then mv -T ${folder(place)} ${beside(place)}; fi
        mv -T ${former(place)} ${folder(place)}
      fi
    `,
    keep: (place) => sh`if [ -d ${beside(place)} ]; then mv -T ${beside(place)} ${former(place)}; fi`,
    forget: (place) => sh`rm -rf --one-file-system ${former(place)}`,
    discard: (place) => sh`rm -rf --one-file-system ${beside(place)}`,
  },
  destroy: (place) => [
    {
      title: 'Notes',
      check: sh`test ! -e ${folder(place)} && test ! -e ${former(place)}`,
      apply: sh`rm -rf --one-file-system ${folder(place)} ${former(place)} ${beside(place)}`,
    },
  ],
})

/** A provider whose shelf is always empty. */
export const shelf = provider({
  name: 'shelf',
  doc: 'servers on a shelf, which is empty',
  schema: schema.object({
    row: schema.optional(schema.pipe(schema.string(), schema.description('Which row'), schema.examples(['a'])), 'a'),
  }),
  create: async ({ name, settings }) => {
    throw new KraftError({ kind: 'task', message: `There is no server for ${name} in row ${settings.row}` })
  },
  describe: async () => 'missing',
  destroy: async () => undefined,
})

/** Count the notes. */
export const countNotes = task({
  async run({ $ }) {
    const { stdout } = await $`find "$NOTES_PATH" -type f | wc -l`
    return result(`${stdout.trim()} notes`, { notes: Number(stdout) })
  },
})
