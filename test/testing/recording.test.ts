import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sh } from '../../engine/shell/sh.js'
import { compile } from '../../engine/step/compile.js'
import type { Step } from '../../engine/step/step.js'
import { changed, expectIdempotent, type Recording, recordedNode } from '../../testing/index.js'
import { failureOf } from '../rig/failure.js'

let path: string
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'kraft-recording-')), 'recording.json')
})
afterEach(() => rm(join(path, '..'), { recursive: true, force: true }))

const folder = (name: string): Step => ({ title: `Folder ${name}`, check: sh`test -d ${name}`, apply: sh`mkdir ${name}` })
const steps = [folder('/a'), folder('/b')]
const answer = (call: 'apply' | 'check', ...statuses: ('ok' | 'changed' | 'failed')[]): Recording['calls'][number] => {
  const { hash } = compile('Recipe', steps)
  const titles = steps.map(({ title }) => title)
  const ended = statuses.map((status, index) => ({ title: titles[index] ?? '', status, detail: '4', output: ['mkdir: no'] }))
  return { call, hash, titles, outcome: { steps: ended, handlers: [] } }
}
const record = (...calls: Recording['calls']) =>
  writeFile(path, JSON.stringify({ format: 'kraftwerk recording', version: 1, node: 'one', calls }))

describe('a recording', () => {
  it('answers in its order, without any node', async () => {
    await record(answer('apply', 'changed', 'ok'), answer('check', 'ok', 'ok'), answer('apply', 'ok', 'ok'), {
      call: 'run',
      script: 'ls /',
      output: 'a\nb\n',
    })
    const node = await recordedNode(path, { record: false })
    expect(changed(await expectIdempotent(node, steps))).toEqual(['Folder /a'])
    expect(await node.run('ls /')).toBe('a\nb\n')
    expect((await failureOf(node.run('ls /'))).said).toContain('the recording has ended, and the test asks for more: ls /')
    expect((await failureOf(node.facts())).said).toContain('no facts were recorded')
  })

  it('fails as its node did', async () => {
    await record(answer('apply', 'changed', 'failed'))
    const node = await recordedNode(path, { record: false })
    expect(await failureOf(node.apply(steps))).toMatchObject({ kind: 'step', said: 'one: Folder /b: failed with code 4' })
  })

  it.each<[string, readonly Step[], string]>([
    ['another step', [folder('/a'), folder('/c')], 'they differ at "Folder /c"'],
    ['one step more', [...steps, folder('/c')], 'they differ at "Folder /c"'],
    ['one step less', steps.slice(0, 1), 'they differ at "Folder /b"'],
    ['the same titles with another script', steps.map((step) => ({ ...step, apply: sh`true` })), 'not the one that was recorded'],
  ])('refuses %s than was recorded', async (_, asked, said) => {
    await record(answer('apply', 'ok', 'ok'))
    const node = await recordedNode(path, { record: false })
    expect(await failureOf(node.apply(asked))).toMatchObject({
      said: expect.stringContaining(said),
      next: 'Record it again: run the test with KRAFT_RECORD=1',
    })
  })

  it('that is missing or damaged says how to make one', async () => {
    const next = 'Record it: run the test once with KRAFT_RECORD=1'
    expect(await failureOf(recordedNode(path, { record: false }))).toMatchObject({
      said: `${path}: there is no such recording`,
      next,
    })
    for (const text of ['', '{', '{"format":"kraftwerk recording","version":2}']) {
      await writeFile(path, text)
      expect(await failureOf(recordedNode(path, { record: false }))).toMatchObject({
        said: expect.stringContaining('not a recording'),
        next,
      })
    }
  })
})
