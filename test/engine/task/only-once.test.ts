import { describe, expect, it } from 'vitest'
import { parallel, series } from '../../../engine/task/compose.js'
import * as hooks from '../../../engine/task/hooks.js'
import { option } from '../../../engine/task/option.js'
import { type Task, task } from '../../../engine/task/task.js'
import { failureOf } from '../../rig/failure.js'
import { loggedTasks } from '../../rig/logged-tasks.js'

const { log, once, fails, run } = loggedTasks()

describe('a task that others depend on', () => {
  it('runs once before them, however many they are', async () => {
    const assets = once('assets')
    const [a, b] = ['a', 'b'].map((name) => task({ on: 'once', dependsOn: [assets], run: () => void log.push(name) }))
    if (a === undefined || b === undefined) throw new TypeError('There are two')
    await run(series('All', a, b, parallel('Both', a, b)))
    expect(log.slice(0, 3)).toEqual(['assets', 'a', 'b'])
    expect(log.slice(3).sort()).toEqual(['a', 'b'])
    // Another call of kraft begins anew.
    await run(a)
    expect(log.slice(5)).toEqual(['assets', 'a'])
  })

  it('may itself depend on others', async () => {
    const first = once('first')
    const second = task({ on: 'once', dependsOn: [first], run: () => void log.push('second') })
    await run(task({ on: 'once', dependsOn: [second, first], run: () => void log.push('third') }))
    expect(log).toEqual(['first', 'second', 'third'])
  })

  it('is waited for by those that run side by side, and its failure is theirs', async () => {
    const slow = task({ run: async ({ $ }) => void log.push((await $`sleep 0.2; echo slow`).stdout.trim()) })
    const needing = (name: string) => task({ dependsOn: [slow], run: () => void log.push(name) })
    await run(parallel('Both', needing('a'), needing('b')))
    expect([log[0], log.slice(1).sort()]).toEqual(['slow', ['a', 'b']])
    log.length = 0
    const broken = fails('broken')
    const after = task({ on: 'once', dependsOn: [broken], run: () => void log.push('never') })
    await expect(run(after)).rejects.toThrow('broken')
    expect(log).toEqual([])
  })

  it('is one run for each set of options where it says onlyOnce, also as a hook and by call', async () => {
    const assets = task({
      on: 'once',
      onlyOnce: true,
      options: { of: option({ type: 'string', default: 'site' }) },
      run: ({ options }) => void log.push(`assets ${options.of}`),
    })
    const [deploy, reload] = [once('deploy'), task({ on: 'once', run: ({ call }) => call(assets, { of: 'site' }) })]
    hooks.before(deploy, assets)
    await run(series('All', deploy, deploy, reload, assets.with({ of: 'shop' })))
    expect(log).toEqual(['assets site', 'deploy', 'deploy', 'assets shop'])
  })

  it('in a circle is an error, not endless', async () => {
    const needs: Task[] = []
    const [a, b] = [task({ on: 'once', dependsOn: needs, run: () => undefined }), task({ on: 'once', run: () => undefined })]
    needs.push(b, task({ on: 'once', dependsOn: [a], run: () => undefined }))
    expect(await failureOf(run(a, { custom: { a, b } }))).toMatchObject({
      kind: 'usage',
      said: 'a depends on itself, by way of what it depends on',
    })
  })
})
