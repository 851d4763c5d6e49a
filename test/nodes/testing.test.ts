import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secret } from '../../engine/shell/secret.js'
import { sh } from '../../engine/shell/sh.js'
import type { Step } from '../../engine/step/step.js'
import { directory, file } from '../../recipes/file.js'
import { removeState, stateFrom } from '../../recipes/providers/local/state.js'
import { provider } from '../../recipes/providers/local.js'
import { changed, expectIdempotent, type RecipeNode, recordedNode, testNode } from '../../testing/index.js'
import { failureOf } from '../rig/failure.js'

// The kit for people who write recipes, on real nodes.
const state = stateFrom(process.env)
let folder: string
let node: RecipeNode

beforeAll(async () => {
  await removeState(state)
  folder = await mkdtemp(join(tmpdir(), 'kraft-testing-'))
  // As a test that was killed leaves it: the name tells whose it was, and there is no process of that number.
  await provider.create({
    name: 'recipe-test-4194304-1',
    publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAqp nobody',
    settings: {},
    progress: () => undefined,
  })
  node = await testNode()
})
afterAll(async () => {
  await node?.remove()
  await removeState(state)
  await rm(folder, { recursive: true, force: true })
})

const notes = (text: string): readonly Step[] => [
  ...directory({ path: '/srv/notes' }),
  ...file({ path: '/srv/notes/a.txt', content: text, notify: [{ name: 'count', apply: sh`echo x >>/srv/count` }] }),
  ...file({ path: '/srv/notes/key', content: secret('hush-hush') }),
]

test('a node of an earlier test that was killed is removed', async () => {
  await expect(readFile(join(state.root, 'nodes/recipe-test-4194304-1/made'))).rejects.toThrow('ENOENT')
})

describe('on a real node', () => {
  test('a recipe is planned, applied, and has nothing to do the second time', async () => {
    const plan = await node.check(notes('one\n'))
    expect(changed(plan)).toEqual(['Directory /srv/notes', 'File /srv/notes/a.txt', 'File /srv/notes/key'])
    expect(plan.steps[1]?.output).toContain('+one')
    expect(await node.run('ls /srv')).toBe('')
    const first = await expectIdempotent(node, notes('one\n'))
    expect(changed(first)).toEqual(changed(plan))
    expect(first.handlers).toEqual([{ name: 'count', code: 0 }])
    expect(await node.run('cat /srv/notes/a.txt /srv/notes/key /srv/count; id -un')).toBe('one\nhush-hushx\nroot\n')
    expect((await node.facts()).codename).toBe('bookworm')
  })

  test('a recipe that is never done is refused, with the steps that are not', async () => {
    const again: Step = { title: 'Again', check: sh`test -e /srv/never`, apply: sh`true`, diff: sh`echo '+never'` }
    const error = await failureOf(expectIdempotent(node, [again]))
    expect(error.said).toBe(`${node.name}: a dry run after it still sees something to do: Again`)
    const always: Step = { title: 'Always', apply: sh`true` }
    expect((await failureOf(expectIdempotent(node, [always]))).said).toContain('Always')
  })

  test('a step that fails is thrown as kraft throws it', async () => {
    expect(await failureOf(node.apply([{ title: 'Fails', apply: sh`exit 3` }]))).toMatchObject({
      kind: 'step',
      said: `${node.name}: Fails: failed with code 3`,
    })
  })
})

describe('a recording', () => {
  /** The test that a recipe's author would write. */
  const story = async (on: RecipeNode, text: string) => {
    const { codename } = await on.facts()
    const { steps } = await expectIdempotent(on, notes(`${text} ${codename}\n`))
    const failed = await failureOf(on.apply([{ title: 'Fails', apply: sh`exit 3` }]))
    const there = await on.run('cat /srv/notes/a.txt')
    await on.remove()
    return { steps, failed: failed.said.replace(/^[^:]+/, 'node'), there }
  }

  test('answers like the node that it was made of, without any node, and holds no secret', async () => {
    const path = join(folder, 'notes.json')
    const live = await story(await recordedNode(path, { record: true }), 'two')
    expect(await story(await recordedNode(path), 'two')).toEqual(live)
    expect(live).toMatchObject({ failed: 'node: Fails: failed with code 3', there: 'two bookworm\n' })
    expect(await readFile(path, 'utf8')).not.toContain('hush-hush')

    expect(await failureOf(story(await recordedNode(path), 'three'))).toMatchObject({
      kind: 'task',
      said: `${path}: the recipe is not the one that was recorded`,
      next: 'Record it again: run the test with KRAFT_RECORD=1',
    })
    const more = await recordedNode(path)
    expect((await failureOf(more.check(notes('two bookworm\n')))).said).toContain('goes on with "apply", the test with "check"')
    await writeFile(path, '{"format":"kraftwerk recording","version":2}')
    expect((await failureOf(recordedNode(path))).said).toContain('it is not a recording of this version of kraftwerk')
  })
})
