import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../engine/cli/exit.js'
import { isKraftError } from '../../../engine/errors/failure.js'
import { sh } from '../../../engine/shell/sh.js'
import { series } from '../../../engine/task/compose.js'
import { option } from '../../../engine/task/option.js'
import { type Task, task } from '../../../engine/task/task.js'
import { failureOf } from '../../rig/failure.js'
import { loggedTasks } from '../../rig/logged-tasks.js'

const { log, loopback, note, once, run } = loggedTasks()
const three = { a: ['web'], b: ['db'], c: ['web', 'db'] }

describe('a task runs', () => {
  it('on the first web node where nothing is said', async () => {
    await run(note('task'), { nodes: { db: ['db'], w1: ['web'], w2: ['web'] } })
    expect(log).toEqual(['task w1'])
  })

  it('on each node, of a role, or once', async () => {
    await run(note('each', { on: 'each' }), { nodes: three })
    expect(log.sort()).toEqual(['each a', 'each b', 'each c'])
    log.length = 0
    await run(task({ on: { role: 'db' }, run: ({ node }) => void log.push(node.name) }), { nodes: three })
    expect(log.sort()).toEqual(['b', 'c'])
    log.length = 0
    await run(task({ on: 'once', run: ({ target }) => void log.push(target.nodes.map(({ name }) => name).join()) }), {
      nodes: three,
    })
    expect(log).toEqual(['a,b,c'])
  })

  it('on every node where none has roles', async () => {
    await run(task({ on: { role: 'db' }, run: ({ node }) => void log.push(node.name) }), { nodes: { a: [], b: [] } })
    expect(log.sort()).toEqual(['a', 'b'])
  })

  it('nowhere without a node of its role, and says so', async () => {
    expect(await failureOf(run(note('task'), { nodes: { b: ['db'] } }))).toMatchObject({
      kind: 'usage',
      said: 'No node of stage has the role web',
    })
    expect(await failureOf(run(note('task'), { nodes: {} }))).toMatchObject({ said: 'task needs a node' })
  })

  it('on so many nodes at once as it says', async () => {
    let now = 0
    let most = 0
    const busy = task({
      on: 'each',
      parallel: 2,
      async run({ $ }) {
        most = Math.max(most, ++now)
        await $`sleep 0.2`
        now--
      },
    })
    await run(busy, { nodes: { a: [], b: [], c: [], d: [] } })
    expect(most).toBe(2)
  })
})

describe('a body', () => {
  it("has zx on the node, as the login without a project and in the instance's environment with one", async () => {
    const tell = task({ run: async ({ $ }) => (await $`echo \${APP:-login} $BASH_VERSION`).stdout })
    expect((await run(tell)).result).toMatch(/^login \d/)
    expect((await run(tell, { project: true })).result).toMatch(/^shop \d/)
  })

  it('has the login and root of the node, this machine, facts and the project', async () => {
    const tell = task({
      async run({ node, local, facts, project }) {
        const whole = await node.$`echo "$SSH_CONNECTION"`
        return [
          (await node.root.$`id -u`).stdout.trim(),
          whole.stdout !== '',
          (await local.$`echo here`).stdout,
          facts.os,
          project.name,
        ]
      },
    })
    expect((await run(tell, { project: true })).result).toEqual([
      '0',
      true,
      'here\n',
      expect.stringMatching(/debian|ubuntu/),
      'shop',
    ])
  })

  it('that asks for the project where there is none is told so', async () => {
    const asks = task({ run: ({ project }) => void log.push(project.name) })
    expect(await failureOf(run(asks))).toMatchObject({ kind: 'usage', said: expect.stringContaining('no kraftwerk.yaml here') })
  })

  it('shows the output of its commands', async () => {
    expect((await run(task({ run: ({ $ }) => $`echo visible` }))).text).toContain('| visible')
  })

  it('gets the options that were given, fixed or left at their default, and what follows --', async () => {
    const options = {
      a: option({ type: 'string', default: 'A' }),
      b: option({ type: 'string', default: 'B' }),
      c: option({ type: 'string', default: 'C' }),
      many: option({ type: 'string', many: true }),
      quick: option({ type: 'boolean' }),
    }
    const tell = task({ on: 'once', options, run: ({ options: got, rest }) => ({ got, rest }) })
    const { result } = await run(tell.with({ c: 'fixed' }), {}, { options: { b: 'given', c: 'given' }, rest: ['x', '--y'] })
    expect(result).toEqual({ got: { a: 'A', b: 'given', c: 'fixed', many: [], quick: false }, rest: ['x', '--y'] })
  })

  it('that lacks a required option does not run', async () => {
    const needs = task({
      on: 'once',
      options: { file: option({ type: 'string', required: true, help: 'the bundle' }) },
      run: () => void log.push('ran'),
    })
    const caller = task({ on: 'once', run: ({ call }) => call(needs) })
    const custom = { loadIt: needs, caller }
    expect(await failureOf(run(caller, { custom }))).toMatchObject({ kind: 'usage', said: 'load-it needs --file: the bundle' })
    expect(log).toEqual([])
  })
})

describe('call', () => {
  it('runs another task on the same target, with defaults and options', async () => {
    const inner = task({
      on: 'each',
      options: { a: option({ type: 'string', default: 'A' }) },
      run: ({ node, options }) => void log.push(`${node.name} ${options.a}`),
    })
    await run(task({ on: 'once', run: ({ call }) => call(inner, { a: 'given' }) }), { nodes: { x: [], y: [] } })
    expect(log.sort()).toEqual(['x given', 'y given'])
  })

  it.each<[string, () => Task]>([
    ['a task of the whole target', () => once('all')],
    ['a series', () => series('All', note('member'))],
  ])('of %s is an error in a body that runs on one node', async (_name, inner) => {
    const custom = { outer: task({ on: 'each', run: ({ call }) => call(inner()) }) }
    expect(await failureOf(run(custom.outer, { custom }))).toMatchObject({
      kind: 'usage',
      said: expect.stringContaining('is for a whole target and cannot run inside a task that runs on one node'),
      next: expect.stringContaining('series()'),
    })
    expect(log).toEqual([])
  })
})

describe('a dry run', () => {
  it('never runs a body, and says where it is', async () => {
    const custom = { syncDb: note('never'), logTails: once('never either') }
    const declared = { syncDb: { file: 'kraftfile.ts', line: 12 } }
    for (const each of [custom.syncDb, custom.logTails, series('Both', custom.syncDb, custom.logTails)]) {
      const { text } = await run(each, { custom, declared, dryRun: true })
      expect(text).toMatch(/sync-db runs code: kraftfile.ts:12|log-tails runs code\)/)
    }
    expect(log).toEqual([])
  })

  it('needs no node for code', async () => {
    const before = await loopback().sshd.log()
    expect((await run(note('never'), { dryRun: true })).text).toContain('runs code')
    expect(await loopback().sshd.log()).toBe(before)
  })

  it('checks steps, and runs nothing of them', async () => {
    const steps = task({
      steps: () => [{ title: 'Touch', check: sh`test -e /run/kraftwerk/no`, apply: sh`touch /run/kraftwerk/no` }],
    })
    expect((await run(steps, { dryRun: true })).text).toContain('Touch (would change)')
    expect((await run(steps, { dryRun: true })).text).toContain('Touch (would change)')
    expect((await run(steps)).text).toContain('Touch (changed)')
  })

  it('runs built-in tasks, which know what it is', async () => {
    const deploy = task({ on: 'once', run: ({ session }) => void log.push(`dry ${session.flags.dryRun}`) })
    await run(deploy, { builtin: { deploy }, custom: {}, dryRun: true })
    await run(series('All', deploy), { builtin: { deploy }, custom: { deploy: once('mine') }, dryRun: true })
    expect(log).toEqual(['dry true', 'dry true'])
  })
})

describe('failures', () => {
  it('of several nodes are all told, with those that are done', async () => {
    const picky = task({ on: 'each', run: ({ $, node }) => $`echo about ${node.name}; test ${node.name} = b` })
    const error: unknown = await run(picky, { nodes: { a: [], b: [], c: [] } }).catch((reason: unknown) => reason)
    expect(isKraftError(error) && error.failure.kind === 'several' && error.failure.done).toEqual(['b'])
    expect(String(error)).toContain('2 of 3 failed: a, c; done: b')
    expect(exitCode(error)).toBe(1)
  })

  it('of a command are told as the command, with its node and code', async () => {
    const { printError } = await import('../../../engine/errors/print.js')
    const error: unknown = await run(task({ run: ({ $ }) => $`echo why >&2; exit 4` })).catch((reason: unknown) => reason)
    const text = printError(error, { debug: false, color: false })
    expect(text).toContain('one: echo why >&2; exit 4: ended with code 4')
    expect(text).toContain('| why')
  })
})

it('steps of a task are one script, whose title is the name of the task', async () => {
  const custom = { installTools: task({ on: 'each', steps: () => [{ title: 'Say', apply: sh`head -2 "$KRAFT_DIR/script"` }] }) }
  const { result } = await run(custom.installTools, { custom })
  expect(result).toMatchObject({ counts: { changed: 1 }, output: [['#!/bin/sh', '# kraft: install-tools']] })
})
