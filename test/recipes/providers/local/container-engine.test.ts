import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findContainer } from '../../../../recipes/providers/local/container.js'
import { containerEngine, whyNoSystemd } from '../../../../recipes/providers/local/container-engine.js'
import { failureOf, freshHome } from '../../../rig/home.js'

const at = freshHome()
const record = { name: 'one', provider: 'local', address: '127.0.0.1', user: 'root', host_keys: [], made: { engine: 'docker' } }

/** A `docker` that says what the test says. */
async function docker(script: string): Promise<void> {
  await chmod(await at.write('bin/docker', `#!/bin/sh\n${script}\n`), 0o755)
  process.env.PATH = `${join(at.home, 'bin')}:${process.env.PATH}`
}

const inspected = (network: unknown) =>
  JSON.stringify([{ Name: '/kraft-one', State: { Running: true }, Config: { Labels: {} }, NetworkSettings: network }])

test.each([
  ['true v1\n', 'without root it needs cgroup v2, and this machine has v1'],
  ['true v2\n', undefined],
  ['false v1\n', undefined],
  ['Client: Docker Engine - Community\n', undefined],
])('of %j is said: %s', (said, why) => {
  expect(whyNoSystemd(said)).toBe(why)
})

test.each([
  [{ IPAddress: '172.17.0.2' }, '172.17.0.2'],
  // As Docker 29 says it.
  [{ Networks: { bridge: { IPAddress: '172.17.0.3' } } }, '172.17.0.3'],
  [{ IPAddress: '', Networks: {} }, undefined],
])('of the network %j the address is %s', async (network, address) => {
  await docker(`echo '${inspected(network)}'`)
  expect((await findContainer('docker', 'kraft-one'))?.address).toBe(address)
})

test('a container that is not removed keeps its node remembered', async () => {
  await docker(`case $1 in rm) echo 'device or resource busy' >&2; exit 1;; *) echo '${inspected({})}';; esac`)
  expect(await failureOf(containerEngine('docker').destroy(record, {}, () => undefined))).toMatchObject({
    node: 'one',
    message: 'docker did not remove its container kraft-one',
    output: 'device or resource busy',
    next: expect.stringContaining('docker rm --force --volumes kraft-one'),
  })
})

test('a docker that does not answer is no container that is gone', async () => {
  await docker("echo 'Cannot connect to the Docker daemon. Is it running?' >&2; exit 1")
  expect(await failureOf(containerEngine('docker').destroy(record, {}, () => undefined))).toMatchObject({
    output: expect.stringContaining('Cannot connect'),
    next: expect.stringContaining('docker info'),
  })
})
