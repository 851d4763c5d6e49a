import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import type { Line } from '../../engine/report/report.js'
import { hooksBeforeUpload } from '../../tasks/hooks.js'
import { failureOf } from '../rig/failure.js'

const deploy = { target: 'stage', nodes: ['one'], commit: undefined, folder: tmpdir(), dryRun: false }

async function run(command: string): Promise<readonly string[]> {
  const said: string[] = []
  const line: Line = {
    title: () => undefined,
    output: (text) => void said.push(text),
    skip: () => undefined,
    list: async () => undefined,
  }
  const [hook] = hooksBeforeUpload({ 'before-build': [{ command, local: true }] }, deploy)
  await hook?.run(line)
  return said
}

it('a hook of this machine says what it says, and its code counts', async () => {
  const said = await run('echo "$KRAFT_HOOK of $KRAFT_HOOK_TARGET on $KRAFT_HOOK_NODES"; echo more >&2')
  expect(said.toSorted()).toEqual(['before-build of stage on one', 'more'])
  expect(await failureOf(run('echo no; exit 3'))).toMatchObject({ kind: 'command', said: expect.stringContaining('code 3') })
})

it('what it leaves running is not waited for', async () => {
  const began = performance.now()
  expect(await run('sleep 30 & echo started')).toEqual(['started'])
  expect(performance.now() - began).toBeLessThan(20_000)
})
