import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CreateRequest } from '../../../../engine/node/provider.js'
import { reveal, secret } from '../../../../engine/shell/secret.js'
import { generateHostKey } from '../../../../engine/ssh/key-pair.js'
import { type Arrival, arriveWithOwnKey } from '../../../../recipes/providers/cloud/own-key.js'
import { userData } from '../../../../recipes/providers/cloud/user-data.js'
import { type BootedNode, bootNode, freePort, prepareNode } from '../../../rig/ec2-node.js'
import { kraftErrorOf } from '../../../rig/failure.js'
import { firstLogin } from '../../../rig/first-login.js'
import { newKey, sayHello } from '../../../rig/openssh-client.js'

type Login = NonNullable<CreateRequest['login']>

let folder: string
let port: number
let node: BootedNode
let login: Login
let given: string
/** What the provider knows. */
let marked: string[]

beforeAll(async () => {
  await prepareNode()
  folder = await mkdtemp(join(tmpdir(), 'kraftwerk-own-key-'))
  await newKey(folder, 'id')
  login = await firstLogin(folder)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

beforeEach(async () => {
  marked = []
  port = await freePort()
  const pair = generateHostKey()
  given = pair.publicKey.split(' ', 2).join(' ')
  const publicKey = (await readFile(join(folder, 'id.pub'), 'utf8')).trim()
  const hostKey = { public: given, private: secret(pair.privateKey, 'host key') }
  node = await bootNode(reveal(userData({ node: 'one', login: 'root', port, publicKey, hostKey })), port)
})

afterEach(() => node?.stop())

function arrival(change: Partial<Arrival> = {}, way: Login = login): Arrival {
  return {
    record: { name: 'one', provider: 'hetzner', address: '127.0.0.1', port, user: userInfo().username },
    given,
    own: marked.at(-1),
    ready: false,
    request: { name: 'one', publicKey: '', settings: {}, progress: () => undefined, login: way },
    mark: async (own) => void marked.push(own),
    ...change,
  }
}

const shown = async () => (await readFile(join(node.ssh, 'ssh_host_ed25519_key.pub'), 'utf8')).trim().split(' ', 2).join(' ')

async function hasOnlyItsOwnKey(keys: readonly string[]): Promise<void> {
  expect(keys).toEqual([expect.stringMatching(/^ssh-ed25519 \S+$/)])
  expect(keys).not.toContain(given)
  expect(keys).toEqual([marked.at(-1)])
  expect(await shown()).toBe(keys[0])
  expect((await readdir(node.ssh)).sort()).toEqual(['ssh_host_ed25519_key', 'ssh_host_ed25519_key.pub', 'sshd_config'])
  expect(await sayHello(folder, port, keys)).toBe('hello\n')
  await expect(sayHello(folder, port, [given])).rejects.toThrow(/host key/i)
}

test('a node makes its own host key, which alone proves it from then on', async () => {
  const record = await arriveWithOwnKey(arrival())
  await hasOnlyItsOwnKey(record.host_keys)
  expect(await arriveWithOwnKey(arrival({ ready: true }, never))).toEqual(record)
  expect(marked).toHaveLength(1)
})

const never: Login = async () => {
  throw new Error('Nobody has to log in')
}

class Killed extends Error {}

/** Ends like a kraft that is killed before its nth script, or after it and before it hears of that. */
function killedAt(nth: number, when: 'before' | 'after'): Login {
  let count = 0
  return (record, work) =>
    login(record, (one) =>
      work({
        async apply(title, steps) {
          count += 1
          if (count === nth && when === 'before') throw new Killed()
          const applied = await one.apply(title, steps)
          if (count >= nth) throw new Killed()
          return applied
        },
      }),
    )
}

// Before the provider knows the key, once it does, once sshd shows it, and once the given one is gone.
const moments = [
  { nth: 1, when: 'after', shows: 'given' },
  { nth: 2, when: 'before', shows: 'given' },
  { nth: 2, when: 'after', shows: 'own' },
  { nth: 3, when: 'after', shows: 'own' },
] as const

test.each(moments)('goes on after a run that was killed $when script $nth', async ({ nth, when, shows }) => {
  await expect(arriveWithOwnKey(arrival({}, killedAt(nth, when)))).rejects.toThrow(Killed)
  // The one that was given must be shown as long as nobody knows another.
  expect(await shown()).toBe(shows === 'given' ? given : marked[0])
  const record = await arriveWithOwnKey(arrival())
  await hasOnlyItsOwnKey(record.host_keys)
  // The key that was made first is the one that stays.
  expect(new Set(marked).size).toBe(1)
})

test('goes back to the given key where sshd does not take the own one, and says so', async () => {
  const stubborn = 'cp -p /etc/ssh/kraftwerk-own/given /etc/ssh/ssh_host_ed25519_key'
  await writeFile(join(node.ssh, '..', 'systemctl'), `#!/bin/sh\n${stubborn}\n`)
  const error = await kraftErrorOf(arriveWithOwnKey(arrival({ within: 1_000 })))
  expect(error.failure.kind).toBe('host-key')
  expect(error.message).toMatch(/has the host key SHA256:\S+, but the node was to have SHA256:/)
  expect(await shown()).toBe(given)
  expect(await sayHello(folder, port, [given])).toBe('hello\n')
})

test('trusts the given key no more once the node is ready, and no other key ever', async () => {
  const own = generateHostKey().publicKey.split(' ', 2).join(' ')
  expect((await kraftErrorOf(arriveWithOwnKey(arrival({ own, ready: true }, never)))).failure.kind).toBe('host-key')
  expect((await kraftErrorOf(arriveWithOwnKey(arrival({ given: own }, never)))).failure.kind).toBe('host-key')
  expect(marked).toEqual([])
})
