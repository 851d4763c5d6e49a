import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, inject, it } from 'vitest'
import { compile } from '../../engine/step/compile.js'
import { file } from '../../recipes/file.js'
import { openEditor } from './tsserver.js'

const run = promisify(execFile)
const installed = inject('installed')
const paths = ['recording.json', 'recipe.mjs', 'recipe.ts'].map((name) => join(installed, name))
afterAll(() => Promise.all(paths.map((path) => rm(path, { force: true }))))

it('a project that installed kraftwerk tries its recipe on a recording', async () => {
  const [recording = '', program = ''] = paths
  const { hash, steps } = compile('Recipe', file({ path: '/etc/a', content: 'a\n' }))
  const titles = steps.map(({ title }) => title)
  const calls = [
    {
      call: 'apply',
      hash,
      titles,
      outcome: { steps: [{ title: titles[0], status: 'changed', detail: '', output: [] }], handlers: [] },
    },
  ]
  await writeFile(recording, JSON.stringify({ format: 'kraftwerk recording', version: 1, node: 'one', calls }))
  await writeFile(
    program,
    `import { changed, recordedNode } from 'kraftwerk/testing'
import { file } from 'kraftwerk/recipes/file'
const node = await recordedNode(new URL('recording.json', import.meta.url))
console.log(changed(await node.apply(file({ path: '/etc/a', content: 'a\\n' }))))
await node.apply(file({ path: '/etc/b', content: 'b\\n' })).catch((error) => console.log(error.failure.next))
await node.remove()`,
  )
  const { stdout } = await run(process.execPath, [program], { cwd: installed })
  expect(stdout).toBe("[ 'File /etc/a' ]\nRecord it again: run the test with KRAFT_RECORD=1\n")
})

it('has types for the editor, also without a tsconfig', async () => {
  const path = paths[2] ?? ''
  const text = `import { recordedNode, testNode } from 'kraftwerk/testing'
export const title = async () => (await (await testNode({ image: 'trixie' })).check([])).steps[0]?.title
export const wrong = () => recordedNode(4)
`
  await writeFile(path, text)
  const editor = await openEditor(installed)
  editor.open(path, text)
  const problems = await editor.problems(path)
  expect((await editor.hover(path, text, text.indexOf('testNode'))).docs).toContain('Makes a real local node')
  await editor.close()
  expect(problems.map(({ line }) => line)).toEqual([3])
})
