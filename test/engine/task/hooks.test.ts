import { describe, expect, it } from 'vitest'
import { series } from '../../../engine/task/compose.js'
import * as hooks from '../../../engine/task/hooks.js'
import { option } from '../../../engine/task/option.js'
import { task } from '../../../engine/task/task.js'
import { failureOf } from '../../rig/failure.js'
import { loggedTasks } from '../../rig/logged-tasks.js'

const { log, once, fails, run } = loggedTasks()

describe('hooks', () => {
  it('run around a task in the order in which they were added, wherever it is called from', async () => {
    const deploy = once('deploy')
    hooks.before(deploy, once('first'), once('second'))
    hooks.after(deploy, once('last'))
    await run(deploy, { builtin: { deploy }, custom: {} })
    await run(series('Release', deploy.with({}), once('reload')))
    await run(task({ on: 'once', run: ({ call }) => call(deploy) }))
    const around = ['first', 'second', 'deploy', 'last']
    expect(log).toEqual([...around, ...around, 'reload', ...around])
  })

  it('that fail keep the task from starting, and a task that fails its later hooks', async () => {
    const [deploy, reload] = [once('deploy'), fails('broken')]
    hooks.before(deploy, fails('not today'))
    hooks.after(reload, once('never'))
    await expect(run(deploy)).rejects.toThrow('not today')
    await expect(run(reload)).rejects.toThrow('broken')
    expect(log).toEqual([])
  })

  it('have their own options and none of what follows --', async () => {
    const hook = task({
      on: 'once',
      options: { n: option({ type: 'number', default: 7 }) },
      run: ({ options, rest }) => void log.push(JSON.stringify([options, rest])),
    })
    const deploy = task({ on: 'once', options: { n: option({ type: 'number' }) }, run: () => undefined })
    hooks.before(deploy, hook)
    await run(deploy, {}, { options: { n: 1 }, rest: ['x'] })
    expect(log).toEqual(['[{"n":7},[]]'])
  })

  it('in a circle are an error, not endless', async () => {
    const [a, b] = [once('a'), once('b')]
    hooks.before(a, b)
    hooks.before(b, a)
    expect(await failureOf(run(a, { custom: { a, b } }))).toMatchObject({ said: 'a is, by way of its hooks, a hook of itself' })
  })

  it('of a task that is called on one node run on that node', async () => {
    const inner = task({ run: ({ node }) => void log.push(`inner ${node.name}`) })
    hooks.before(inner, task({ run: ({ node }) => void log.push(`hook ${node.name}`) }))
    await run(task({ on: { role: 'db' }, run: ({ call }) => call(inner) }), { nodes: { w: ['web'], d: ['db'] } })
    expect(log).toEqual(['hook d', 'inner d'])
  })
})
