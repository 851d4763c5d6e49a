import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type Task, task } from '../../engine/task/task.js'
import { type Loopback, startLoopback } from './loopback.js'
import { type Ran, runOn, type Tasks } from './task-session.js'

/** Tasks that write down that they ran, and what runs them on real nodes. */
export interface LoggedTasks {
  /** What ran in the test so far. */
  readonly log: string[]
  /** Logs its name and its node. */
  note(name: string, more?: { readonly on?: 'each' }): Task
  /** Logs its name, once for the whole target. */
  once(name: string): Task
  fails(message?: string): Task
  /** The nodes that they run on. */
  readonly loopback: () => Loopback
  run(task: Task, tasks?: Tasks, given?: Parameters<typeof runOn>[3]): Promise<Ran>
}

/** Gives the tests of a file nodes to run tasks on, and an empty log to each. */
export function loggedTasks(): LoggedTasks {
  const log: string[] = []
  let loopback: Loopback
  beforeAll(async () => {
    loopback = await startLoopback()
  })
  afterAll(() => loopback.stop())
  beforeEach(() => {
    log.length = 0
  })
  return {
    log,
    loopback: () => loopback,
    note: (name, more = {}) => task({ ...more, run: ({ node }) => void log.push(`${name} ${node.name}`) }),
    once: (name) => task({ on: 'once', run: () => void log.push(name) }),
    fails: (message = 'no') =>
      task({
        on: 'once',
        run: () => {
          throw new Error(message)
        },
      }),
    run: (each, tasks = {}, given = {}) => runOn(loopback, each, tasks, given),
  }
}
