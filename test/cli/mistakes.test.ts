import { mkdir, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { execute } from '../../engine/cli/execute.js'
import { loadRegistry } from '../../engine/cli/load.js'
import { loadProject } from '../../project/settings.js'
import { knownKinds } from '../../recipes/kinds.js'
import { app } from '../rig/app.js'
import { writeFiles } from '../rig/cli.js'
import { freshHome, settingError } from '../rig/home.js'
import { kraftfileMistakes } from './mistakes/kraftfile.js'
import { projectMistakes } from './mistakes/projects.js'
import { syntaxMistakes } from './mistakes/syntax.js'
import { valueMistakes } from './mistakes/values.js'

const home = freshHome()
const began = process.cwd()
const settingsMistakes = [...syntaxMistakes, ...valueMistakes, ...projectMistakes]

/** Nothing listens on port 1 of loopback: whoever gets so far has not noticed the mistake. */
const down = { provider: 'local', address: '127.0.0.1', port: 1, user: 'root', host_keys: [] }

let project: string
beforeEach(async () => {
  project = `${home.home}/shop`
  await mkdir(project)
  await writeFile(`${project}/nodes.yaml`, stringify({ one: down, two: down }))
  process.chdir(project)
})
afterEach(() => process.chdir(began))

/** What an import of kraftwerk gives: these very modules, as the program gives those that it has itself. */
async function install(): Promise<void> {
  const [index, tasks] = await Promise.all([import('../../index.js'), import('../../tasks/index.js')])
  Object.assign(globalThis, { kraftwerkOfTests: { index, tasks } })
  await writeFiles(`${project}/node_modules/kraftwerk`, {
    'package.json': JSON.stringify({ name: 'kraftwerk', exports: { '.': './index.js', './tasks': './tasks.js' } }),
    'index.js': 'module.exports = globalThis.kraftwerkOfTests.index',
    'tasks.js': 'module.exports = globalThis.kraftwerkOfTests.tasks',
  })
}

test.each(settingsMistakes)('kraftwerk.yaml: $what', async ({ text, at, says, next, files = {} }) => {
  await writeFile('kraftwerk.yaml', text)
  await writeFiles(project, files)
  await expectMistake(execute(app, 'deploy', ['--quiet']), 'kraftwerk.yaml', { at, says, next })
})

test.each(kraftfileMistakes)('kraftfile.ts: $what', async ({ text, at, says, next, files = {}, file = 'kraftfile.ts' }) => {
  await install()
  await writeFile('kraftfile.ts', text)
  await writeFiles(project, files)
  await expectMistake(loadRegistry({ ...app, root: home.home }, project), file, { at, says, next })
})

test.each([
  ['kraftwerk.yml', 'deploy'],
  ['kraftfile.cjs', 'hello'],
])('a file called %s is not passed over', async (name, task) => {
  await writeFile(name, '')
  const right = name.startsWith('kraftfile') ? 'kraftfile.ts' : 'kraftwerk.yaml'
  await expectMistake(execute(app, task, []), name, {
    at: '1:1',
    says: `only ${right}`,
    next: `mv ${project}/${name} ${project}/${right}`,
  })
})

test.each([
  ['a byte order mark', '\ufeffworkers: 4\n'],
  ['line ends of Windows', 'workers: 4\r\nenviron:\r\n  A: a\r\n'],
])('%s is no mistake', async (_what, text) => {
  await writeFile('kraftwerk.yaml', text)
  expect((await loadProject(project, knownKinds()))?.settings.workers).toBe(4)
})

test('are many, and each is told where it stands and what to do', () => {
  expect(settingsMistakes.length).toBeGreaterThanOrEqual(30)
  expect(kraftfileMistakes.length).toBeGreaterThanOrEqual(15)
})

async function expectMistake(
  running: Promise<unknown>,
  file: string,
  { at, says, next }: { readonly at: string; readonly says: string; readonly next: string },
): Promise<void> {
  const error = await settingError(running)
  expect(error).toEqual({
    file: `${project}/${file}`,
    at,
    message: expect.stringContaining(says),
    next: expect.stringContaining(next),
  })
  expect(error.next).not.toBe('')
}
