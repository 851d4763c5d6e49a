import { spawnSync } from 'node:child_process'
import { cp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { freshHome } from '../rig/home.js'

const home = freshHome()
const root = join(import.meta.dirname, '../..')
const dist = (path: string) => join(home.project, 'dist', path)

beforeEach(async () => {
  for (const path of ['scripts/build.mjs', 'scripts/bundle.mjs', 'tsconfig.json', 'package.json'])
    await cp(join(root, path), join(home.project, path))
  await symlink(join(root, 'node_modules'), join(home.project, 'node_modules'))
  await home.write('calculator/kraft.ts', "#!/usr/bin/env node\nimport { told } from './tasks/tell.js'\nconsole.log(told())\n")
  await home.write('calculator/tasks/tell.ts', "import { a } from '../engine/deep/a.js'\nexport const told = a\n")
  await home.write('calculator/engine/deep/a.ts', 'export function a(): number {\n  return 1\n}\n')
})

function build() {
  const { status, stdout } = spawnSync(process.execPath, [join(home.project, 'scripts/build.mjs')], {
    encoding: 'utf8',
    cwd: '/',
  })
  return { status, stdout }
}

it('builds what runs, does nothing where nothing changed, and follows every change', async () => {
  expect(build()).toEqual({ status: 0, stdout: '' })
  expect(spawnSync(dist('kraft.js'), { encoding: 'utf8' }).stdout).toBe('1\n')
  const before = await stat(dist('build.json'))
  build()
  expect((await stat(dist('build.json'))).mtimeMs).toBe(before.mtimeMs)

  await home.write('calculator/engine/deep/a.ts', 'export function a(): number {\n  return 2\n}\n')
  build()
  expect(spawnSync(dist('kraft.js'), { encoding: 'utf8' }).stdout).toBe('2\n')

  // An output that is gone or was touched comes back.
  await rm(dist('tasks/tell.js'))
  build()
  expect(spawnSync(dist('kraft.js'), { encoding: 'utf8' }).stdout).toBe('2\n')
  await writeFile(dist('engine/core.js'), 'broken(')
  build()
  expect(spawnSync(dist('kraft.js'), { encoding: 'utf8' }).stdout).toBe('2\n')
}, 180_000)

it('puts together what is needed together; each source is found by its own path, and what comes in kinds stays a file', async () => {
  await home.write('calculator/recipes/services/notes.ts', "import { a } from '../../engine/deep/a.js'\nexport const notes = a\n")
  await home.write('calculator/tasks/late.ts', "export const late = async () => (await import('yaml')).parse('1')\n")
  build()
  expect(await readFile(dist('tasks/tell.js'), 'utf8')).toBe('export { told } from "../engine/tasks.js";\n')
  expect(await readFile(dist('engine/core.js'), 'utf8')).toContain('function a()')
  expect(await readFile(dist('recipes/services/notes.js'), 'utf8')).toContain('notes')
  // A package that is inside is in a file of its own as long as it is not sure to be needed, with its licence.
  expect(await readFile(dist('engine/core.js'), 'utf8')).not.toContain('parseDocument')
  expect(await readFile(dist('engine/yaml.LICENSE'), 'utf8')).toContain('Permission to use')
  const script = `console.log(await (await import(${JSON.stringify(dist('tasks/late.js'))})).late())`
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stdout).toBe('1\n')
  // Each has its types beside its source's path.
  expect(await readFile(dist('engine/deep/a.d.ts'), 'utf8')).toContain('export declare function a(): number')
}, 180_000)

it('removes what no source makes any more, and says nothing was built where types are wrong', async () => {
  build()
  await home.write('calculator/kraft.ts', '#!/usr/bin/env node\nexport const a = 1\n')
  for (const room of ['engine', 'tasks']) await rm(join(home.project, room), { recursive: true })
  expect(build().status).toBe(0)
  await expect(stat(dist('engine'))).rejects.toThrow('ENOENT')

  await home.write('calculator/kraft.ts', '#!/usr/bin/env node\nexport const a: string = 1\n')
  const { status, stdout } = build()
  expect(status).not.toBe(0)
  expect(stdout).toContain("kraft.ts(2,14): error TS2322: Type 'number'")
  await expect(readFile(dist('build.json'))).rejects.toThrow('ENOENT')
}, 180_000)
