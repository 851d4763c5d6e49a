import { spawnSync } from 'node:child_process'
import { cp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { freshHome } from '../rig/home.js'

const home = freshHome()
const root = join(import.meta.dirname, '../..')
const dist = (path: string) => join(home.project, 'dist', path)

beforeEach(async () => {
  for (const path of ['scripts/build.mjs', 'tsconfig.json', 'package.json']) await cp(join(root, path), join(home.project, path))
  await symlink(join(root, 'node_modules'), join(home.project, 'node_modules'))
  await home.write('calculator/kraft.ts', "#!/usr/bin/env node\nimport { a } from './engine/deep/a.js'\nconsole.log(a)\n")
  await home.write('calculator/engine/deep/a.ts', 'export const a: number = 1\n')
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

  await home.write('calculator/engine/deep/a.ts', 'export const a: number = 2\n')
  build()
  expect(spawnSync(dist('kraft.js'), { encoding: 'utf8' }).stdout).toBe('2\n')

  // An output that is gone or was touched comes back.
  await rm(dist('engine/deep/a.js'))
  build()
  expect(spawnSync(dist('kraft.js'), { encoding: 'utf8' }).stdout).toBe('2\n')
  await writeFile(dist('engine/deep/a.js'), 'broken(')
  build()
  expect(spawnSync(dist('kraft.js'), { encoding: 'utf8' }).stdout).toBe('2\n')
}, 60_000)

it('removes what no source makes any more, and says nothing was built where types are wrong', async () => {
  build()
  await home.write('calculator/kraft.ts', '#!/usr/bin/env node\nexport const a = 1\n')
  await rm(join(home.project, 'engine'), { recursive: true })
  expect(build().status).toBe(0)
  await expect(stat(dist('engine'))).rejects.toThrow('ENOENT')

  await home.write('calculator/kraft.ts', '#!/usr/bin/env node\nexport const a: string = 1\n')
  const { status, stdout } = build()
  expect(status).not.toBe(0)
  expect(stdout).toContain("kraft.ts(2,14): error TS2322: Type 'number'")
  await expect(readFile(dist('build.json'))).rejects.toThrow('ENOENT')
}, 60_000)
