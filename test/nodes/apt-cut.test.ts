import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { NodeRecord } from '../../engine/node/record.js'
import { connect } from '../../engine/ssh/connect.js'
import { generateHostKey } from '../../engine/ssh/key-pair.js'
import { apply } from '../../engine/step/apply.js'
import { compile } from '../../engine/step/compile.js'
import { apt } from '../../recipes/apt.js'
import { removeState, stateFrom } from '../../recipes/providers/local/state.js'
import { provider } from '../../recipes/providers/local.js'
import { failureOf } from '../rig/failure.js'

// What is left of a package manager when the connection to a real node is lost while it works, and when it is killed.
const state = stateFrom(process.env)
let folder: string
let record: NodeRecord

beforeAll(async () => {
  await removeState(state)
  folder = await mkdtemp(join(tmpdir(), 'kraft-apt-cut-'))
  const key = generateHostKey()
  await writeFile(join(folder, 'id'), key.privateKey, { mode: 0o600 })
  await writeFile(join(folder, 'config'), `IdentityFile ${join(folder, 'id')}\nIdentitiesOnly yes\nIdentityAgent none\n`)
  record = await provider.create({ name: 'cut', publicKey: key.publicKey, settings: {}, progress: () => undefined })
})
afterAll(async () => {
  await removeState(state)
  await rm(folder, { recursive: true, force: true })
})

const open = () => connect({ record, configFile: join(folder, 'config') })

/** Runs a command as root and returns what it prints, whatever its code. */
async function on(command: string): Promise<string> {
  const connection = open()
  try {
    return (await connection.capture(`sh -c '${command}'`)).stdout.trim()
  } finally {
    await connection.close()
  }
}

/** Applies steps, and does something as soon as a line of output matches. Returns how the steps ended. */
async function installing(packages: readonly string[], when?: RegExp, what?: () => Promise<unknown>): Promise<readonly string[]> {
  const connection = open()
  const ended: string[] = []
  let done: Promise<unknown> | undefined
  try {
    for await (const event of apply(connection, compile('Packages', apt(...packages)))) {
      if (event.type === 'waiting') ended.push('waiting')
      if (event.type === 'end') ended.push(event.status)
      if (event.type === 'output' && when?.test(event.text) === true) done ??= what?.()
    }
  } finally {
    await done
    await connection.close()
  }
  return ended
}

const healthy = 'dpkg --audit; apt-get check -qq && echo healthy'

test('the connection is cut while packages are unpacked: they are all installed, and the next run finds nothing to do', async () => {
  // As when a cable is pulled: the login and all that belongs to its connection is gone at once.
  const cut = () => on('pkill -9 -f "^sshd: root" || :').catch(() => undefined)
  const lost = await failureOf(installing(['nginx-light', 'redis-server'], /^(Unpacking|Selecting)/, cut))
  expect(lost).toMatchObject({ kind: 'unreachable', next: expect.stringContaining('it waits for what still runs') })
  const next = await installing(['nginx-light', 'redis-server'])
  expect(next.at(-1)).toBe('ok')
  expect(await on(healthy)).toBe('healthy')
  expect(await on('dpkg-query -W -f "\\${db:Status-Status} " nginx-light redis-server')).toBe('installed installed')
})

test('the package manager is killed in the middle: the next run mends it and installs what was asked for', async () => {
  const kill = () => on('pkill -9 -x dpkg; pkill -9 -x apt-get; :')
  expect((await installing(['postgresql-common', 'memcached'], /^Unpacking/, kill)).at(-1)).toBe('failed')
  expect(await on(healthy)).not.toBe('healthy')
  expect((await installing(['postgresql-common', 'memcached'])).at(-1)).toBe('changed')
  expect(await on(healthy)).toBe('healthy')
})
