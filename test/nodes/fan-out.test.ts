import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { NodeRecord } from '../../engine/node/record.js'
import { loginKey } from '../../engine/ssh/keys.js'
import { removeState, stateFrom } from '../../recipes/providers/local/state.js'
import { provider } from '../../recipes/providers/local.js'
import { callKraft } from '../rig/kraft.js'

// Sixty servers of their own at once. They need nothing but their sshd.
const state = stateFrom(process.env)
const names = Array.from({ length: 60 }, (_, index) => `n${index}`)
const kept = process.env.HOME
let home: string

beforeAll(async () => {
  await removeState(state)
  home = await realpath(await mkdtemp(join(tmpdir(), 'kraftwerk-fan-out-')))
  process.env.HOME = home
  const { publicKey } = await loginKey({})
  const waiting = [...names]
  const records: NodeRecord[] = []
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      records.push(
        await provider.create({ name, publicKey, settings: {}, progress: () => undefined, signal: new AbortController().signal }),
      )
    }
  }
  await Promise.all(Array.from({ length: 6 }, worker))
  await mkdir(join(home, '.kraftwerk'), { recursive: true, mode: 0o700 })
  const entries = records.map(({ name, ...record }) => [name, record])
  await writeFile(join(home, '.kraftwerk/nodes.yaml'), stringify(Object.fromEntries(entries)))
})

afterAll(async () => {
  process.env.HOME = kept
  await removeState(state)
  await rm(home, { recursive: true, force: true })
})

const kraft = (...args: string[]) => callKraft(args, { cwd: home, env: { ...process.env, HOME: home, CI: 'true' } })

it('each of 60 nodes says its name', async () => {
  const { code, stdout, stderr } = await kraft('run:all', '--', 'hostname')
  expect([code, stderr]).toEqual([0, ''])
  const lines = stdout.trimEnd().split('\n')
  expect(lines).toHaveLength(60)
  for (const line of lines) expect(line).toMatch(/^(n\d+) +\| \1$/)
})

it('200 lines of each of 60 nodes come whole and in order, stdout and stderr apart', async () => {
  const { code, stdout, stderr } = await kraft(
    'run:all',
    '--',
    'sh',
    '-c',
    'for i in $(seq 200); do echo out $i; echo err $i >&2; done',
  )
  expect(code).toBe(0)
  for (const [text, word] of [
    [stdout, 'out'],
    [stderr, 'err'],
  ] as const) {
    const seen = new Map<string, string[]>()
    for (const line of text.trimEnd().split('\n')) {
      const [, name = '', said = ''] = /^(n\d+) *\| (.*)$/.exec(line) ?? []
      seen.set(name, [...(seen.get(name) ?? []), said])
    }
    expect(seen.size).toBe(60)
    const expected = Array.from({ length: 200 }, (_, index) => `${word} ${index + 1}`)
    for (const said of seen.values()) expect(said).toEqual(expected)
  }
})
