import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isKraftError, summary } from '../../../engine/errors/failure.js'
import { sshOptions } from '../../../engine/ssh/config.js'
import { ownCredentials } from '../../../engine/ssh/credentials.js'
import { dialThrough } from '../../../engine/ssh/dial.js'
import { handshake, hungUpEarly } from '../../../engine/ssh/handshake.js'
import { failureOf } from '../../rig/failure.js'

let folder: string
// It lets everybody in, and says nothing.
const silent = createServer(() => undefined)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-handshake-'))
  silent.listen(join(folder, 'silent'))
  await once(silent, 'listening')
})
afterAll(async () => {
  silent.close()
  await rm(folder, { recursive: true, force: true })
})

test('a ProxyCommand that ends at once, whenever that is noticed, is told to have closed the connection', async () => {
  const destination = { name: 'one', address: '127.0.0.1', hostKeys: [] }
  const options = await sshOptions(destination)
  const said = new Set<string>()
  for (let wait = 0; wait < 30; wait++) {
    const credentials = ownCredentials(undefined)
    const slowly: typeof credentials = {
      ...credentials,
      identities: async (of) => {
        await new Promise((resolve) => setTimeout(resolve, wait))
        return credentials.identities(of)
      },
    }
    const socket = dialThrough('false', { folder: '/', say: () => undefined })
    const error: unknown = await handshake({ destination, options }, slowly, socket).catch((thrown: unknown) => thrown)
    said.add(`${isKraftError(error) ? summary(error.failure) : String(error)}, ${hungUpEarly(error)}`)
  }
  expect([...said]).toEqual(['one: the connection was closed before SSH began, true'])
})

/** Begins a handshake with a server that says nothing, as this line of ssh_config wants it. */
async function begin(line: string, signal?: AbortSignal) {
  await writeFile(join(folder, 'config'), `${line}\n`)
  const destination = { name: 'one', address: '127.0.0.1', hostKeys: [] }
  const options = await sshOptions(destination, join(folder, 'config'))
  const socket = connect(join(folder, 'silent'))
  await once(socket, 'connect')
  return { socket, failed: failureOf(handshake({ destination, options }, ownCredentials(undefined), socket, { signal })) }
}

test('an agent that never answers keeps nobody from giving up', async () => {
  const stop = new AbortController()
  const { socket, failed } = await begin(`IdentityAgent ${join(folder, 'silent')}`, stop.signal)
  stop.abort()
  expect(await failed).toMatchObject({ kind: 'interrupted', said: 'Interrupted while connecting to one' })
  expect(socket.destroyed).toBe(true)
})

test('a file of known hosts that cannot be read is told, and the connection is not left open', async () => {
  const { socket, failed } = await begin(`UserKnownHostsFile ${folder}`)
  expect(await failed).toMatchObject({ kind: 'unreachable', said: expect.stringMatching(/your keys or known hosts .*EISDIR/) })
  expect(socket.destroyed).toBe(true)
})
