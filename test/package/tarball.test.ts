import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

const run = promisify(execFile)
const installed = inject('installed')
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-tarball-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Node.js code in a folder, as an ES module. */
async function node(code: string, cwd = installed): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], {
    cwd,
    env: { ...process.env, HOME: folder },
  })
  return stdout.trim()
}

it('holds what runs, its types and its templates, and nothing else', () => {
  const packed = inject('packed')
  for (const file of [
    'dist/kraft.js',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/tasks/index.d.ts',
    'dist/recipes/apt.js',
    'dist/build.json',
    'kraftfile.example.ts',
    'kraftwerk.schema.json',
    'package.json',
  ]) {
    expect(packed).toContain(file)
  }
  expect(packed.some((file) => file.startsWith('templates/'))).toBe(true)
  expect(
    packed.filter(
      (file) =>
        !/^(dist|templates)\/|^(README\.md|LICENSE|CHANGELOG\.md|package\.json|kraftwerk\.schema\.json|kraftfile\.example\.ts)$/.test(
          file,
        ),
    ),
  ).toEqual([])
  expect(packed.filter((file) => /\.tsbuildinfo$|\/test\/|(?<!\.d)\.ts$/.test(file) && !file.startsWith('templates/'))).toEqual([
    'kraftfile.example.ts',
  ])
})

it('brings a kraft that runs', async () => {
  expect((await stat(join(installed, 'node_modules/kraftwerk/dist/kraft.js'))).mode & 0o111).toBe(0o111)
  const env = { ...process.env, HOME: folder }
  const { stdout } = await run('npx', ['--no-install', 'kraft'], { cwd: installed, env })
  expect(stdout).toContain('Usage: kraft TASK')
  for (const task of ['provision', 'bootstrap', 'deploy', 'reload', 'dump', 'load', 'shell'])
    expect(stdout).toMatch(new RegExp(`^ +${task}\\b`, 'm'))
  const help = await run(join(installed, 'node_modules/.bin/kraft'), ['help', 'deploy'], { cwd: folder, env })
  expect(help.stdout).toContain('kraft deploy')
})

it.each([
  ['kraftwerk', ['task', 'series', 'before', 'option', 'secret', 'sh']],
  ['kraftwerk/tasks', ['provision', 'bootstrap', 'deploy', 'reload', 'dump', 'load', 'shell']],
  ['kraftwerk/testing', ['testNode', 'recordedNode', 'expectIdempotent', 'changed']],
  ['kraftwerk/recipes/apt', ['apt']],
  ['kraftwerk/recipes/template', ['template']],
])('%s can be imported', async (specifier, names) => {
  const exports: unknown = JSON.parse(await node(`console.log(JSON.stringify(Object.keys(await import('${specifier}'))))`))
  expect(exports).toEqual(expect.arrayContaining(names))
})

it('what is inside stays inside', async () => {
  await expect(node("await import('kraftwerk/engine/config/yaml')")).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED')
})

describe("a kraftfile gets the CLI's own modules", () => {
  const kraftfile = `import { task } from 'kraftwerk'
import { deploy } from 'kraftwerk/tasks'
import { apt } from 'kraftwerk/recipes/apt'
/** The same. */
export const same = [task, deploy, apt] as unknown[]
`
  const package_ = join(installed, 'node_modules/kraftwerk/dist')
  const compare = `
    const at = (path) => import(${JSON.stringify(`${package_}/`)} + path)
    const { loadKraftfile } = await at('engine/kraftfile.js')
    const { exports, docs } = await loadKraftfile(process.cwd())
    const { task } = await at('index.js')
    const { deploy } = await at('tasks/index.js')
    const { apt } = await at('recipes/apt.js')
    console.log(JSON.stringify([exports.same[0] === task, exports.same[1] === deploy, exports.same[2] === apt, docs.same]))`
  const same = JSON.stringify([true, true, true, 'The same.'])

  it('where the project has its own copy', async () => {
    const project = join(folder, 'own')
    await mkdir(project)
    await symlink(join(installed, 'node_modules'), join(project, 'node_modules'))
    await writeFile(join(project, 'kraftfile.ts'), kraftfile)
    expect(await node(compare, project)).toBe(same)
  })

  it('where it has none and kraft is global', async () => {
    await writeFile(join(folder, 'kraftfile.ts'), kraftfile)
    expect(await node(compare, folder)).toBe(same)
  })

  it("but another copy's where the project has that one", async () => {
    await mkdir(join(folder, 'node_modules'))
    await cp(join(installed, 'node_modules/kraftwerk'), join(folder, 'node_modules/kraftwerk'), { recursive: true })
    // Its dependencies are found through a link, as a package manager that shares them would do it.
    await symlink(join(installed, 'node_modules'), join(folder, 'node_modules/kraftwerk/node_modules'))
    await writeFile(join(folder, 'kraftfile.ts'), kraftfile)
    expect(await node(compare, folder)).toBe(JSON.stringify([false, false, false, 'The same.']))
  })
})
