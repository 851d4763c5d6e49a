import { describe, expect, it } from 'vitest'
import { parallel, series } from '../../../engine/task/compose.js'
import { option } from '../../../engine/task/option.js'
import { Result } from '../../../engine/task/result.js'
import { task } from '../../../engine/task/task.js'
import { loggedTasks } from '../../rig/logged-tasks.js'

const { log, note, once, fails, run } = loggedTasks()

describe('a series', () => {
  it('finishes each member on all nodes before the next begins, and gives back what they did by name', async () => {
    const slow = task({
      on: 'each',
      run: async ({ $, node }) => void log.push(`slow ${(await $`sleep 0.2; echo ${node.name}`).stdout.trim()}`),
    })
    const last = task({ on: 'once', run: () => new Result('done', 1) })
    const custom = { slow, last }
    const { result, text } = await run(series('All', slow, note('quick', { on: 'each' }), last), {
      custom,
      nodes: { a: [], b: [] },
    })
    expect([log.slice(0, 2).sort(), log.slice(2).sort()]).toEqual([
      ['slow a', 'slow b'],
      ['quick a', 'quick b'],
    ])
    expect(result).toMatchObject({ text: 'done', data: { last: 1 } })
    expect(text).not.toBe('')
  })

  it('ends at the first member that fails', async () => {
    await expect(run(series('All', once('one'), fails('broken'), once('three')))).rejects.toThrow('broken')
    expect(log).toEqual(['one'])
  })

  it('shares its options among its members, and fixed ones stay their own', async () => {
    const options = { file: option({ type: 'string', default: 'none' }) }
    const tell = task({ on: 'once', options, run: ({ options: { file } }) => void log.push(file) })
    await run(series('All', tell, tell.with({ file: 'fixed' })), {}, { options: { file: 'given' } })
    await run(series('All', tell))
    expect(log).toEqual(['given', 'fixed', 'none'])
  })
})

describe('parallel tasks', () => {
  it('run side by side, and all end before one that failed is told', async () => {
    const slow = task({ run: async ({ $ }) => void log.push((await $`sleep 0.3; echo slow`).stdout.trim()) })
    await expect(run(parallel('Both', fails('broken'), slow))).rejects.toThrow('broken')
    expect(log).toEqual(['slow'])
  })
})
