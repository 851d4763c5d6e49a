import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { program } from './program.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

const rooms = ['engine', 'project', 'recipes', 'tasks']

const notes = `
import * as v from 'valibot'
import { sh } from '../../engine/shell/sh.js'
import { defineService } from '../../project/service.js'

/** A folder of notes. */
export const service = defineService({
  name: 'notes',
  doc: 'a folder of notes',
  section: { pages: { schema: v.optional(v.pipe(v.number(), v.maxValue(9, 'at most 9')), 3), doc: 'How many', example: 3 } },
  install: () => [],
  setup: ({ home }) => [{ title: 'Notes', check: sh\`test -d \${\`\${home}/notes\`}\`, apply: sh\`mkdir \${\`\${home}/notes\`}\` }],
  environ: ({ home }, { pages }) => ({ NOTES: \`\${home}/notes\`, PAGES: String(pages) }),
  destroy: () => [],
})
`

/** A copy of the tree in which one file is new: the service `notes`. */
export interface Tree {
  readonly folder: string
  /** What to hand to node. */
  readonly kraft: string
  remove(): Promise<void>
}

/** Copies kraft as it is now, and drops one file into it. */
export async function treeWithService(): Promise<Tree> {
  const folder = await mkdtemp(join(tmpdir(), 'kraft-tree-'))
  const built = join(folder, 'dist')
  const copy = await program(join(root, 'kraft.ts'), rooms)
  await cp(join(copy.file, '..'), built, { recursive: true, verbatimSymlinks: true })
  await copy.remove()
  // The package is the folder above, as in one that was built.
  await rm(join(built, 'package.json'))
  // The docs are written from the sources.
  await Promise.all([...rooms, 'kraft.ts'].map((room) => cp(join(root, room), join(folder, room), { recursive: true })))
  await writeFile(join(folder, 'recipes/services/notes.ts'), notes)
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const { outputText } = ts.transpileModule(notes, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  })
  await writeFile(join(built, 'recipes/services/notes.js'), outputText)
  await cp(join(root, 'package.json'), join(folder, 'package.json'))
  await cp(join(root, 'scripts/docs.mjs'), join(folder, 'scripts/docs.mjs'))
  await symlink(join(root, 'templates'), join(folder, 'templates'))
  await mkdir(join(folder, 'docs'))
  return { folder, kraft: join(built, 'kraft.js'), remove: () => rm(folder, { recursive: true, force: true }) }
}
