import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { removeState, stateFrom } from '../../../recipes/providers/local/state.js'
import { failure } from '../../rig/cli.js'
import { type OtherUsers, otherUsers } from '../../rig/other-users.js'

// Who is not root makes local nodes and names for them through sudo, where sudo asks nothing.
const state = stateFrom(process.env)
const env = { KRAFT_LOCAL_STATE: state.root, KRAFT_LOCAL_SUBNET: state.subnet }
let users: OtherUsers

beforeAll(async () => {
  await removeState(state)
  users = await otherUsers({ ann: 'NOPASSWD: ALL', bob: 'ALL' })
})
afterAll(async () => {
  await removeState(state)
  await users?.stop()
})

test('a user whose sudo asks for no password makes a node, with a name in /etc/hosts, and leaves nothing of it', async () => {
  const kraft = (...args: string[]) => users.kraft('ann', args, env)
  const made = await kraft('provision', 'one', '--yes')
  expect([made.code, failure(made.stderr)]).toEqual([0, ''])
  expect(await users.hosts()).toMatch(/^127\.0\.0\.1 localhost\n10\.\S+ one # kraft\n$/)
  expect((await kraft('run:one', '--', 'id', '-un')).stdout).toBe('root\n')
  expect(await kraft('terminate:one', '--yes')).toMatchObject({ code: 0 })
  expect(await users.hosts()).toBe('127.0.0.1 localhost\n')
})

test('where sudo would ask, nothing is made, and the message says what it takes', async () => {
  const { code, stderr } = await users.kraft('bob', ['provision', 'one', '--set', 'engine=nspawn', '--yes'], env)
  expect(code).toBe(1)
  expect(failure(stderr)).toBe(`error: nspawn can't run local nodes here
  | nspawn: Local nodes need root on this machine: they have file systems, addresses and processes of their own
next:  Install podman or Docker, run kraft as root on Debian (or with sudo that asks for no password), or use another provider: \`kraft provision NAME --provider ec2\``)
})

test('where sudo would ask, a name that can not be written is told, and the node is there all the same', async () => {
  const kraftfile = `import { provider } from 'kraftwerk'
const create = async ({ name }) => ({ name, provider: 'shelf', address: '192.0.2.7', user: 'root', host_keys: [] })
export const shelf = provider({ name: 'shelf', doc: 'ours', create, describe: async () => 'running', destroy: async () => undefined })\n`
  await writeFile(join(users.home('bob'), 'kraftfile.ts'), kraftfile)
  const { code, stderr } = await users.kraft('bob', ['provision', 'far', '--provider', 'shelf', '--yes'])
  expect([code, failure(stderr)]).toEqual([
    1,
    expect.stringMatching(
      /^error: \/etc\/hosts could not be changed\n( {2}\| .*\n)* {2}\| sudo: a password is required\nnext: {2}Add this line to it: 192\.0\.2\.7 far # kraft$/,
    ),
  ])
  expect(await users.hosts()).toBe('127.0.0.1 localhost\n')
  expect((await users.kraft('bob', ['nodes'])).stdout).toMatch(/^far +running +shelf/m)
})
