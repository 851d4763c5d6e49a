import { spawnSync } from 'node:child_process'
import { cp, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freshHome } from '../rig/home.js'

const home = freshHome()
const root = join(import.meta.dirname, '../..')

async function run(unit: string, nodes: string) {
  await cp(join(root, 'scripts/test.mjs'), join(home.project, 'scripts/test.mjs'))
  await symlink(join(root, 'node_modules'), join(home.project, 'node_modules'))
  await home.write('calculator/package.json', '{ "type": "module" }')
  const projects = ['unit', 'package', 'cloud', 'nodes'].map((name) => ({ test: { name, include: [`${name}/*.test.js`] } }))
  await home.write('calculator/vitest.config.js', `export default { test: { projects: ${JSON.stringify(projects)} } }`)
  const fine = "import { it } from 'vitest'\nit('a', () => {})\n"
  await home.write('calculator/unit/a.test.js', fine + unit)
  await home.write('calculator/package/a.test.js', fine)
  await home.write('calculator/cloud/a.test.js', fine)
  await home.write('calculator/nodes/a.test.js', fine + nodes)
  const { VITEST: _vitest, VITEST_MODE: _mode, ...env } = process.env
  const { status, stdout } = spawnSync(process.execPath, [join(home.project, 'scripts/test.mjs')], { encoding: 'utf8', env })
  return { status, last: stdout.trim().split('\n').at(-1), stdout }
}

it('sums the suites up and shows the time of each', async () => {
  const { status, last, stdout } = await run("it('b', () => {})", '')
  expect(last).toBe('5 passed, 0 failed')
  expect(stdout).toMatch(/^unit: 2 passed, 0 failed in \d+\.\d s$/m)
  expect(status).toBe(0)
}, 60_000)

it('a failure, a skipped test and a file that does not load fail it, and the other suites run', async () => {
  const { status, last } = await run("it('b', () => { throw new Error('no') })\nit.skip('c', () => {})", "import './nothing.js'")
  expect(last).toBe('3 passed, 3 failed')
  expect(status).toBe(1)
}, 60_000)
