import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Program, program } from './rig/program.js'

// A new service is one new file, its templates and its test: nothing else names it.
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
  environ: ({ home }) => ({ NOTES: \`\${home}/notes\` }),
  destroy: () => [],
})
`

const root = fileURLToPath(new URL('..', import.meta.url))
let folder: string
let tree: Program

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-plugins-'))
  tree = await program(join(root, 'kraft.ts'), ['engine', 'project', 'recipes', 'tasks'])
  const { transpileModule, ScriptTarget, ModuleKind } = (await import('typescript')).default
  const built = join(folder, 'kraft', 'dist')
  await mkdir(join(folder, 'kraft'))
  await cp(join(tree.file, '..'), built, { recursive: true, verbatimSymlinks: true })
  const { outputText } = transpileModule(notes, { compilerOptions: { target: ScriptTarget.ES2022, module: ModuleKind.ESNext } })
  await writeFile(join(built, 'recipes/services/notes.js'), outputText)
  await cp(join(root, 'package.json'), join(folder, 'kraft/package.json'))
  await symlink(join(root, 'templates'), join(folder, 'kraft/templates'))
  await cp(join(root, 'scripts/docs.mjs'), join(folder, 'kraft/scripts/docs.mjs'))
  await mkdir(join(folder, 'kraft/docs'))
  await mkdir(join(folder, 'shop'))
}, 60_000)
afterAll(async () => {
  await tree.remove()
  await rm(folder, { recursive: true, force: true })
})

/** What kraft says of a project that asks for these services. */
async function said(services: string): Promise<string> {
  await writeFile(join(folder, 'shop/kraftwerk.yaml'), `wsgi: shop.wsgi:application\nservices: ${services}\n`)
  const run = promisify(execFile)(process.execPath, [join(folder, 'kraft/dist/kraft.js'), 'deploy:nowhere'], {
    cwd: join(folder, 'shop'),
    env: { PATH: process.env.PATH, HOME: folder },
  })
  return run.then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  )
}

/** Runs kraft in the project. */
function run(...args: string[]) {
  const env = { PATH: process.env.PATH, HOME: folder }
  return promisify(execFile)(process.execPath, [join(folder, 'kraft/dist/kraft.js'), ...args], { cwd: join(folder, 'shop'), env })
}

describe('a service that is one new file', () => {
  it('is known by its name at once', async () => {
    expect(await said('[notes]')).toContain('There is no environment or node "nowhere"')
    expect(await said('[nots]')).toContain('"services" should be one of files, notes, postgres')
    expect(await said('[nots]')).toContain('Did you mean "notes"?')
  })

  it('has its own settings checked, with their place', async () => {
    expect(await said('[{ notes: { pages: 3 } }]')).toContain('There is no environment or node "nowhere"')
    expect(await said('[{ notes: { pags: 3 } }]')).toMatch(/kraftwerk\.yaml:2:\d+: Unknown key "pags"\. Did you mean "pages"\?/)
    expect(await said('[{ notes: { pages: 12 } }]')).toContain('at most 9')
  })

  it('is in the JSON Schema and in what --only can be', async () => {
    await said('[notes]')
    const { stdout } = await run('schema')
    const { items } = JSON.parse(stdout).properties.services
    expect(items.anyOf).toContainEqual({ const: 'notes', description: 'a folder of notes' })
    expect(JSON.stringify(items)).toContain('"maximum":9')
    expect((await run('help', 'dump')).stdout).toContain('one of files, notes, postgres')
  })

  it('is there for an editor, help and completion just when kraftwerk.yaml is broken', async () => {
    expect(await said('[nots')).toMatch(/^error: .*kraftwerk\.yaml:/)
    expect(JSON.parse((await run('schema')).stdout).properties.services.items.anyOf).toContainEqual({
      const: 'notes',
      description: 'a folder of notes',
    })
    expect((await run('help', 'dump')).stdout).toContain('one of files, notes, postgres')
    expect((await run('completion', 'bash')).stdout).toContain('kraft')
    expect((await run('--complete', 'dump:one', '--only', 'n')).stdout).toMatch(/^notes\t/)
    expect((await run('--complete', 'settings', 'n')).stdout).toMatch(/^nodes\t.*\nnotes\t/)
  })

  it('has its settings documented by kraft and in the docs', async () => {
    await said('[notes]')
    expect((await run('settings', 'notes')).stdout).toBe('The service notes: a folder of notes\n  pages  How many (default: 3)\n')
    const [{ keys }] = JSON.parse((await run('settings', 'notes', '--json')).stdout)
    expect(keys).toEqual([{ key: 'pages', doc: 'How many', default: 3, example: 3 }])
    await promisify(execFile)(process.execPath, [join(folder, 'kraft/scripts/docs.mjs')])
    const page = await readFile(join(folder, 'kraft/docs/settings.md'), 'utf8')
    expect(page).toContain('- `notes`: A folder of notes.\n')
    expect(page).toMatch(/\n#### notes\n\n\| Key .*\n.*\n\| `pages` \| How many\. \| `3` \| `3` \|\n/)
    expect(page).toContain((await run('settings', '--markdown')).stdout)
    expect(await readFile(join(folder, 'kraft/docs/tasks.md'), 'utf8')).toContain('one of files, notes, postgres')
  })

  it('is named nowhere else', async () => {
    const { stdout } = await promisify(execFile)('grep', ['-rlw', 'notes', '--include=*.js', join(folder, 'kraft/dist/recipes')])
    expect(stdout.trim()).toBe(join(folder, 'kraft/dist/recipes/services/notes.js'))
    expect(await readFile(join(folder, 'kraft/dist/recipes/kinds.js'), 'utf8')).not.toContain('postgres.js')
  })
})
