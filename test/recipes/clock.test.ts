import { describe, expect, it } from 'vitest'
import { sh } from '../../engine/shell/sh.js'
import { clocksAgree } from '../../recipes/clock.js'
import { runSteps } from '../rig/run-steps.js'

/** What a node says to a client whose clock is so many seconds ahead of its own. */
const said = async (seconds: number) => (await runSteps(clocksAgree('one', new Date(Date.now() + seconds * 1000))))[0]

describe('the clocks of client and node', () => {
  it.each([0, 240, -240])('agree where the client is %i seconds ahead', async (seconds) => {
    expect(await said(seconds)).toMatchObject({ status: 'ok', output: '' })
  })

  it.each([360, -360, 40_000_000])('do not where the client is %i seconds ahead; both times are named', async (seconds) => {
    const ended = await said(seconds)
    expect(ended?.status).toBe('failed')
    const [, there = '', here = ''] =
      /^It is (\S+ \S+ UTC) on one, but (\S+ \S+ UTC) on the machine that deploys, .*\nThe clock of one is .*: correct /.exec(
        ended?.output ?? '',
      ) ?? []
    expect(Math.abs(Date.parse(here) - Date.parse(there) - seconds * 1000)).toBeLessThan(60_000)
  })

  it('are compared when the script arrives, however long it then waits for another', async () => {
    const late = { title: 'Arrived long ago', apply: sh`touch -d '10 minutes ago' "$KRAFT_DIR/script"` }
    expect((await runSteps([late, ...clocksAgree('one', new Date(Date.now() - 600_000))])).at(-1)?.status).toBe('ok')
  })
})
