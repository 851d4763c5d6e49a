import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Tree, treeWithService } from './rig/dropped-service.js'

let folder: string
let tree: Tree

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-plugins-'))
  tree = await treeWithService()
  await mkdir(join(folder, 'shop'))
}, 60_000)
afterAll(async () => {
  await tree.remove()
  await rm(folder, { recursive: true, force: true })
})

/** What kraft says of a project that asks for these services. */
async function said(services: string): Promise<string> {
  await writeFile(join(folder, 'shop/kraftwerk.yaml'), `wsgi: shop.wsgi:application\nservices: ${services}\n`)
  const run = promisify(execFile)(process.execPath, [tree.kraft, 'deploy:nowhere'], {
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
  return promisify(execFile)(process.execPath, [tree.kraft, ...args], { cwd: join(folder, 'shop'), env })
}

// A new service is one new file, its templates and its test: nothing else names it.
describe('a service that is one new file', () => {
  it('is known by its name at once', async () => {
    expect(await said('[notes]')).toContain('There is no environment or node "nowhere"')
    expect(await said('[nots]')).toMatch(/"services" should be one of (.*, )?files, (.*, )?notes, (.*, )?postgres/)
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
    expect((await run('help', 'dump')).stdout).toMatch(/one of (.*, )?files, (.*, )?notes, (.*, )?postgres/)
  })

  it('is there for an editor, help and completion just when kraftwerk.yaml is broken', async () => {
    expect(await said('[nots')).toMatch(/^error: .*kraftwerk\.yaml:/)
    expect(JSON.parse((await run('schema')).stdout).properties.services.items.anyOf).toContainEqual({
      const: 'notes',
      description: 'a folder of notes',
    })
    expect((await run('help', 'dump')).stdout).toMatch(/one of (.*, )?files, (.*, )?notes, (.*, )?postgres/)
    expect((await run('completion', 'bash')).stdout).toContain('kraft')
    expect((await run('--complete', 'dump:one', '--only', 'n')).stdout).toMatch(/^notes\t/)
    expect((await run('--complete', 'settings', 'n')).stdout).toMatch(/^nodes\t.*\nnotes\t/)
  })

  it('has its settings documented by kraft and in the docs', { timeout: 240_000 }, async () => {
    await said('[notes]')
    expect((await run('settings', 'notes')).stdout).toBe('The service notes: a folder of notes\n  pages  How many (default: 3)\n')
    const [{ keys }] = JSON.parse((await run('settings', 'notes', '--json')).stdout)
    expect(keys).toEqual([{ key: 'pages', doc: 'How many', default: 3, example: 3 }])
    await promisify(execFile)(process.execPath, [join(tree.folder, 'scripts/docs.mjs'), 'docs/settings.md', 'docs/tasks.md'])
    const page = await readFile(join(tree.folder, 'docs/settings.md'), 'utf8')
    expect(page).toContain('- `notes`: A folder of notes.\n')
    expect(page).toMatch(/\n#### notes\n\n\| Key .*\n.*\n\| `pages` \| How many\. \| `3` \| `3` \|\n/)
    expect(page).toContain((await run('settings', '--markdown')).stdout)
    expect(await readFile(join(tree.folder, 'docs/tasks.md'), 'utf8')).toMatch(
      /one of (.*, )?files, (.*, )?notes, (.*, )?postgres/,
    )
  })

  it('is named nowhere else', async () => {
    // Bitwarden has notes of its own.
    const words = ['-rlw', 'notes', '--include=*.js', '--exclude-dir=vaults', join(tree.folder, 'dist/recipes')]
    const { stdout } = await promisify(execFile)('grep', words)
    expect(stdout.trim()).toBe(join(tree.folder, 'dist/recipes/services/notes.js'))
    expect(await readFile(join(tree.folder, 'dist/recipes/kinds.js'), 'utf8')).not.toContain('postgres.js')
  })
})
