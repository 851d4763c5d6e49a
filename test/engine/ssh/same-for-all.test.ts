import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { optionRows } from '../../../engine/ssh/config.js'
import { includeLine, nodesConfig } from '../../../engine/ssh/include.js'
import { sameForAll } from '../../../engine/ssh/same-for-all.js'
import { freshHome } from '../../rig/home.js'
import { call } from '../../rig/kraft.js'

freshHome()
let folder: string
let config: string
const path = process.env.PATH
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraftwerk-same-'))
  config = join(folder, 'config')
  await mkdir(join(folder, 'more'))
})
afterEach(async () => {
  process.env.PATH = path
  await rm(folder, { recursive: true })
})

it.each([
  ['nothing', ''],
  ['options for all', 'IdentityFile ~/.ssh/id\n  Port=2222\n'],
  ['a block for all', 'Host *\nUser web\n'],
  ['comments', '# Host one\n'],
])('%s is the same for all', async (_what, text) => {
  await writeFile(config, text)
  expect(await sameForAll(config)).toBe(text)
})

it.each([
  ['a host', 'Host one\nPort 2222\n'],
  ['a host written otherwise', 'hOST = one\nPort 2222\n'],
  ['a negated host', 'Host * !one\nPort 2222\n'],
  ['a match', 'Match exec true\nPort 2222\n'],
  ['a token', 'IdentityFile ~/.ssh/%h\n'],
  ['canonical names', 'CanonicalizeHostname yes\n'],
  ['an include that asks the environment', 'Include ${SOMEWHERE}/config\n'],
])('%s is not', async (_what, text) => {
  await writeFile(config, text)
  expect(await sameForAll(config)).toBeUndefined()
})

it('what is included counts', async () => {
  await writeFile(config, `Include ${folder}/more/*.conf\n`)
  expect(await sameForAll(config)).toBeDefined()
  await writeFile(join(folder, 'more', 'a.conf'), 'Port 2222\n')
  expect(await sameForAll(config)).toContain('Port 2222')
  await writeFile(join(folder, 'more', 'b.conf'), 'Host two\nPort 2223\n')
  expect(await sameForAll(config)).toBeUndefined()
})

describe('the options of a fleet', () => {
  const nodes = Array.from({ length: 20 }, (_, index) => ({
    name: `web${index}`,
    address: `10.0.0.${index}`,
    port: index % 2 === 0 ? 2200 + index : undefined,
    user: index % 3 === 0 ? 'admin' : undefined,
    hostKeys: [],
  }))

  async function countedSsh(): Promise<() => Promise<number>> {
    const { stdout } = await call('bash', ['-c', 'command -v ssh'], { cwd: folder, env: process.env })
    const shim = join(folder, 'ssh')
    await writeFile(shim, `#!/bin/sh\necho >>${folder}/calls\nexec ${stdout.trim()} "$@"\n`)
    await chmod(shim, 0o755)
    process.env.PATH = `${folder}:${path}`
    return async () => (await readFile(join(folder, 'calls'), 'utf8')).split('\n').length - 1
  }

  it('take one question where they are configured alike, and are what ssh says of each', async () => {
    await writeFile(
      config,
      `IdentityFile ~/.ssh/fleet\nPort 2022\nUser web\nProxyJump gate\nUserKnownHostsFile ${folder}/known\n`,
    )
    const calls = await countedSsh()
    const rows = await Promise.all(nodes.map((node) => optionRows(node, config)))
    expect(await calls()).toBe(1)
    // With a block of its own for another host, ssh is asked about each.
    await writeFile(config, `${await readFile(config, 'utf8')}Host elsewhere\nPort 1\n`)
    expect(await Promise.all(nodes.map((node) => optionRows(node, config)))).toEqual(rows)
    expect(await calls()).toBe(1 + nodes.length)
  })

  it('are not asked for again by the next command, unless the file or ssh itself is another', async () => {
    await writeFile(config, 'IdentityFile ~/.ssh/fleet\n')
    const calls = await countedSsh()
    // Modules of its own are what the next command has.
    const next = async () => {
      vi.resetModules()
      const { optionRows: ask } = await import('../../../engine/ssh/config.js')
      return ask({ name: 'web', address: '10.0.0.1', hostKeys: [] }, config)
    }
    const first = await next()
    expect(first).toContainEqual(['identityfile', '~/.ssh/fleet'])
    expect([await next(), await calls()]).toEqual([first, 1])
    await writeFile(config, 'IdentityFile ~/.ssh/other\n')
    expect(await next()).toContainEqual(['identityfile', '~/.ssh/other'])
    expect(await calls()).toBe(2)
    await writeFile(join(folder, 'ssh'), `${await readFile(join(folder, 'ssh'), 'utf8')}\n# newer\n`)
    await next()
    expect(await calls()).toBe(3)
  })

  it('follow the file when it changes', async () => {
    const [node] = nodes
    if (node === undefined) throw new Error('There is no node')
    await writeFile(config, 'IdentityFile ~/.ssh/first\n')
    expect(await optionRows(node, config)).toContainEqual(['identityfile', '~/.ssh/first'])
    await writeFile(config, 'IdentityFile ~/.ssh/second\n')
    expect(await optionRows(node, config)).toContainEqual(['identityfile', '~/.ssh/second'])
  })
})

it("kraft's own file of its nodes is no reason to ask for each of them: it says what nodes.yaml says", async () => {
  await mkdir(dirname(nodesConfig()), { recursive: true })
  await writeFile(nodesConfig(), 'Host one\n  Port 2222\n')
  for (const line of [includeLine(), 'Include ~/.kraftwerk/ssh_config']) {
    await writeFile(config, `${line}\nIdentityFile ~/.ssh/id\n`)
    expect(await sameForAll(config)).toBe(`${line}\nIdentityFile ~/.ssh/id\n`)
  }
})
