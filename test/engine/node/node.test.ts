import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseFacts, readFacts } from '../../../engine/node/facts.js'
import { createNode, hasRole } from '../../../engine/node/node.js'
import { sh } from '../../../engine/shell/sh.js'
import type { Connection } from '../../../engine/ssh/connection.js'
import { receiveStream } from '../../../engine/transfer/receive.js'
import { failureOf } from '../../rig/failure.js'
import { type Loopback, notedLine, startLoopback } from '../../rig/loopback.js'

let loopback: Loopback

beforeAll(async () => {
  loopback = await startLoopback()
})
afterAll(() => loopback.stop())

describe('a node', () => {
  it('reads what a command says, and throws its code', async () => {
    const node = loopback.node()
    expect(await node.read('cat; echo "it\'s $HOME"', 'given ')).toMatch(/^given it's \//)
    expect(await failureOf(node.read('echo why >&2\nexit 3'))).toMatchObject({
      kind: 'command',
      said: 'one: echo why >&2: ended with code 3',
    })
  })

  it('has roles, or without any every role', () => {
    expect(hasRole(loopback.node({ roles: ['db'] }), 'db')).toBe(true)
    expect(hasRole(loopback.node({ roles: ['db'] }), 'web')).toBe(false)
    expect(hasRole(loopback.node(), 'anything')).toBe(true)
  })

  it('reads its facts once', async () => {
    const node = loopback.node()
    const facts = await node.facts()
    expect(facts).toMatchObject({
      os: expect.stringMatching(/^(debian|ubuntu)$/),
      architecture: expect.stringMatching(/^(amd64|arm64)$/),
    })
    expect(facts.cpus).toBeGreaterThan(0)
    expect(facts.memory).toBeGreaterThan(100)
    expect(facts.codename).toMatch(/^[a-z]+$/)
    expect(node.facts()).toBe(node.facts())
  })

  it('takes facts that came with something else, and asks for them no more', async () => {
    const node = loopback.node()
    node.know(parseFacts('one', 'current 20261128-101500 \nfacts debian trixie arm64 4 7950 no yes\n'))
    expect(await node.facts()).toEqual({
      os: 'debian',
      codename: 'trixie',
      architecture: 'arm64',
      cpus: 4,
      memory: 7950,
      container: false,
      ipv6: true,
    })
  })

  it('counts what its steps did', async () => {
    const counted: string[] = []
    const { sshd } = loopback
    const node = createNode(
      sshd.record,
      'every',
      loopback.connect(),
      'check',
      (name, { counts }) => void counted.push(`${name} ${counts.changes}`),
    )
    await node.apply('Title', [{ title: 'a', apply: sh`touch /run/kraftwerk/never` }], notedLine().line)
    expect(counted).toEqual(['one 1'])
    expect(await node.read('ls /run/kraftwerk')).not.toContain('never')
  })

  it('has a shell only for tasks that asked for it', async () => {
    const node = loopback.node()
    expect(() => node.$).toThrow('for tasks of a kraftfile')
    await node.prepare()
    expect((await node.root.$`id -u`).stdout).toBe('0\n')
    const own = await node.as('games').$`id -un; id -gn; echo $HOME; env | grep -c ^SSH_ || :`
    expect(own.stdout).toBe('games\ngames\n/usr/games\n0\n')
    await expect(node.as('nobody-at-all').$`true`).rejects.toThrow('no such user')
  })
})

it.each([
  ['another distribution', 'echo; exit 1'],
  ['no shell at all', 'exit 127'],
])('%s is told not to be one that kraft prepares', async (_name, command) => {
  const connection = loopback.connect()
  const strange: Connection = {
    node: 'one',
    user: 'root',
    exec: (text, options) => connection.exec(text, options),
    forward: (host, port) => connection.forward(host, port),
    close: () => connection.close(),
    capture: () => connection.capture(command),
  }
  expect(await failureOf(readFacts(strange))).toMatchObject({ kind: 'task', next: expect.stringContaining('Debian 12 and 13') })
})

describe('a stream from a node', () => {
  it('arrives byte for byte, after what was sent there', async () => {
    const { PassThrough } = await import('node:stream')
    const { buffer } = await import('node:stream/consumers')
    const sink = new PassThrough()
    const whole = buffer(sink)
    await receiveStream(loopback.connect(), 'cat; head -c 3000000 /dev/zero', 'given\n', sink)
    const got = await whole
    expect(got.length).toBe(3_000_006)
    expect(got.subarray(0, 6).toString()).toBe('given\n')
  })

  it('whose command fails is a failure, though bytes came', async () => {
    const { PassThrough } = await import('node:stream')
    const run = receiveStream(loopback.connect(), 'cat; echo no space >&2; exit 9', 'x', new PassThrough().resume())
    expect(await failureOf(run)).toMatchObject({ kind: 'command', said: 'one: send data: ended with code 9' })
  })
})
