import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { runCommand } from '../../tasks/notify.js'

const ending = {
  task: 'deploy',
  result: 'success',
  project: 'shop',
  environment: null,
  instance: 'shop',
  release: null,
  commit: null,
  revision: null,
  who: 'ada@laptop',
  seconds: 1,
  urls: [],
  error: null,
} as const
const run = (command: string, seconds?: number) => runCommand(command, ending, tmpdir(), seconds)

it('a command that was told in time is fine, and one that fails is told with its last words', async () => {
  expect(await run('test "$KRAFT_TASK $KRAFT_WHO" = "deploy ada@laptop"')).toBeUndefined()
  expect(await run('echo first; echo no shelf >&2; exit 3')).toBe('code 3: no shelf')
})

it('one that goes on is ended, and what has left its process group is not waited for', async () => {
  expect(await run('sleep 60', 0.2)).toBe('it did not end within 0.2 s')
  expect(await run('setsid sleep 5 & exit 0', 0.5)).toBe('it did not end within 0.5 s')
})
