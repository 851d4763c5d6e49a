import { describe, expect, expectTypeOf, it } from 'vitest'
import type { Shell } from 'zx'
import type { Facts } from '../../../engine/node/facts.js'
import { parallel, series } from '../../../engine/task/compose.js'
import type { Target, TaskProject } from '../../../engine/task/context.js'
import { option } from '../../../engine/task/option.js'
import { isTask, task } from '../../../engine/task/task.js'

const idle = () => undefined

describe('a task', () => {
  it('runs on the first node where nothing else is said', () => {
    expect(task({ run: idle }).spec.on).toBe('first')
    expect(task({ on: { role: 'db' }, run: idle }).spec.on).toEqual({ role: 'db' })
  })

  it('has either code or steps', () => {
    expect(() => task({ on: 'each' })).toThrow('has neither')
    expect(() => task({ on: 'each', run: idle, steps: () => [] })).toThrow('has both')
  })

  it('is known by a mark that another copy of kraftwerk sets as well', () => {
    expect(isTask(task({ run: idle }))).toBe(true)
    expect(isTask({ [Symbol.for('kraftwerk.task')]: true })).toBe(true)
    for (const other of [undefined, null, {}, idle, 'deploy', { spec: {} }]) expect(isTask(other)).toBe(false)
  })

  it('with options fixed is another task, and the first stays as it is', () => {
    const dump = task({ on: 'once', options: { file: option({ type: 'string' }), only: option({ type: 'string' }) }, run: idle })
    const fixed = dump.with({ file: 'a' }).with({ only: 'files' })
    expect(fixed.given).toEqual({ file: 'a', only: 'files' })
    expect(dump.given).toEqual({})
    expect(fixed.spec).toBe(dump.spec)
  })
})

describe('a composed task', () => {
  const one = task({ options: { a: option({ type: 'string', positional: true, required: true }) }, run: idle })
  const two = task({ options: { b: option({ type: 'number', default: 2 }) }, destructive: true, run: idle })

  it('has the options of its members by name, but for those that are fixed', () => {
    expect(series('Both', one, two).spec.options).toMatchObject({
      a: { type: 'string', positional: false, required: true },
      b: { default: 2 },
    })
    expect(Object.keys(parallel('Both', one.with({ a: 'x' }), two).spec.options ?? {})).toEqual(['b'])
  })

  it('loses data where a member does', () => {
    expect(series('Both', one, two).spec.destructive).toBe(true)
    expect(series('One', one).spec.destructive).toBe(false)
  })
})

describe('the types of a body', () => {
  it('come from what is declared', () => {
    task({
      options: {
        area: option({ type: 'string', choices: ['home', 'shop'], required: true }),
        hours: option({ type: 'number', default: 24 }),
        file: option({ type: 'string' }),
        only: option({ type: 'string', many: true }),
        quick: option({ type: 'boolean' }),
      },
      run({ $, node, project, facts, options, rest }) {
        expectTypeOf(options.area).toEqualTypeOf<'home' | 'shop'>()
        expectTypeOf(options.hours).toEqualTypeOf<number>()
        expectTypeOf(options.file).toEqualTypeOf<string | undefined>()
        expectTypeOf(options.only).toEqualTypeOf<readonly string[]>()
        expectTypeOf(options.quick).toEqualTypeOf<boolean>()
        expectTypeOf(rest).toEqualTypeOf<readonly string[]>()
        expectTypeOf($).toEqualTypeOf<Shell>()
        expectTypeOf(node.root.$).toEqualTypeOf<Shell>()
        expectTypeOf(project).toEqualTypeOf<TaskProject>()
        expectTypeOf(facts).toEqualTypeOf<Facts>()
        // @ts-expect-error an option that is not declared
        expectTypeOf(options.other).toBeNever()
      },
    })
  })

  it('of the whole target have nodes, but no $', () => {
    task({
      on: 'once',
      run(context) {
        expectTypeOf(context.target).toEqualTypeOf<Target>()
        expectTypeOf(context.local.$).toEqualTypeOf<Shell>()
        expectTypeOf(context).not.toHaveProperty('$')
        expectTypeOf(context).not.toHaveProperty('node')
      },
    })
  })

  it('without options hold none', () => {
    task({ run: ({ options }) => expectTypeOf<keyof typeof options>().toBeNever() })
  })
})
