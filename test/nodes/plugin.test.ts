import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Tree, treeWithService } from '../rig/dropped-service.js'
import { call } from '../rig/kraft.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
let story: Story
let tree: Tree

beforeAll(async () => {
  tree = await treeWithService()
  story = await beginStory('httpbin')
  const { project, home } = story
  await writeFile(join(project, 'package.json'), '{ "name": "httpbin", "private": true }\n')
  await run('npm', ['pack', '--pack-destination', home], { cwd: join(root, 'test/plugin-example') })
  const plugin = (await readdir(home)).find((name) => name.endsWith('.tgz')) ?? ''
  // kraftwerk itself is this checkout, so npm need not fetch it.
  const install = [
    'install',
    '--legacy-peer-deps',
    '--ignore-scripts',
    '--offline',
    '--no-audit',
    '--no-fund',
    join(home, plugin),
  ]
  await run('npm', install, { cwd: project })
  await mkdir(join(project, 'node_modules'), { recursive: true })
  await symlink(root, join(project, 'node_modules/kraftwerk'))
  await writeFile(join(project, 'kraftfile.ts'), "export * from 'kraftwerk-notes'\n")
  const file = join(project, 'kraftwerk.yaml')
  const before = await readFile(file, 'utf8')
  await writeFile(file, `${before.replace(/^services:.*\n/m, '')}\nservices: [{ notes: { motto: be brief } }]\n`)
})
afterAll(async () => {
  await tree?.remove()
  await story?.remove()
})

it('the service of an installed plugin is set up by a deploy, dumped, loaded and removed', async () => {
  await provisionPrepared(story, ['one'])
  await story.must(['deploy:one'])
  // Its settings, with their defaults, reach the application.
  expect((await story.must(['run:one', '--', 'bash', '-c', 'cat "$NOTES_PATH/first"; echo $NOTES_PAGES'])).stdout).toBe(
    'be brief\n3\n',
  )
  expect(JSON.parse((await story.must(['count-notes:one', '--json'])).stdout)).toEqual({ notes: 1 })

  await story.must(['dump:one', 'before.bundle', '--only', 'notes'])
  await story.must(['run:one', '--', 'bash', '-c', 'echo second > "$NOTES_PATH/second"'])
  expect((await story.must(['count-notes:one'])).stdout).toBe('2 notes\n')
  await story.must(['load:one', 'before.bundle', '--yes'])
  expect((await story.must(['count-notes:one'])).stdout).toBe('1 notes\n')

  await story.must(['destroy:one', '--yes'])
  expect(await story.onNode('one', 'ls -d /web/*/notes 2>/dev/null | wc -l')).toBe('0\n')
})

it('a service that was dropped as one file into a copy of the tree is set up by a deploy', async () => {
  const project = join(story.home, 'dropped')
  await mkdir(join(project, 'dropped'), { recursive: true })
  await writeFile(join(project, 'kraftwerk.yaml'), 'wsgi: httpbin:app\npackages: httpbin\nservices: [{ notes: { pages: 7 } }]\n')
  const kraft = (...args: string[]) => call(process.execPath, [tree.kraft, ...args], { cwd: project, env: story.env })
  const deployed = await kraft('deploy:one')
  expect(deployed.code, deployed.stderr).toBe(0)
  expect((await kraft('run:one', '--', 'bash', '-c', 'test -d "$NOTES" && echo $PAGES')).stdout).toBe('7\n')
})
