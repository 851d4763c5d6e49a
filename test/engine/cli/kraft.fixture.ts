import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../../../engine/cli/app.js'
import { leave, main } from '../../../engine/cli/main.js'
import { nothingSet } from '../../../engine/config/user.js'
import { KraftError } from '../../../engine/errors/failure.js'
import type { Line } from '../../../engine/report/report.js'
import { reveal, secret } from '../../../engine/shell/secret.js'
import { option } from '../../../engine/task/option.js'
import { ExitCode, Result } from '../../../engine/task/result.js'
import { showOnce } from '../../../engine/task/shown-once.js'
import { type Task, task } from '../../../engine/task/task.js'

const account = task({
  on: 'once',
  needs: 'nothing',
  run({ session }) {
    showOnce(session, [{ secret: 'Kq7', text: 'ada has the password Kq7' }])
    return new Result('made: Kq7', { password: 'Kq7' }, undefined, true)
  },
})

// A command line of its own on the engine, for tests of what is around a task.
const tasks: Readonly<Record<string, Task>> = {
  account,
  calls: task({ on: 'once', needs: 'nothing', run: ({ call }) => call(account) }),
  fails: task({
    on: 'once',
    needs: 'nothing',
    async run({ call }) {
      await call(account)
      throw new KraftError({ kind: 'task', message: 'and then this' })
    },
  }),
  slow: task({
    on: 'once',
    needs: 'nothing',
    async run({ session, line }) {
      session.onEnd(async () => {
        await sleep(100)
        process.stdout.write('lock given back\n')
      })
      line.output('ready')
      await sleep(20_000)
    },
  }),
  greet: task({
    on: 'once',
    needs: 'nodes',
    options: { hide: option({ type: 'string', many: true }) },
    run({ target, options }) {
      if (options.hide.includes(target.word)) throw new KraftError({ kind: 'task', message: `${target.word} hides` })
      return new Result(`hello ${target.word}`, { greeted: target.word }, `kraft thank:${target.word}`)
    },
  }),
  says: task({
    on: 'once',
    needs: 'nothing',
    run({ line }) {
      for (let number = 1; number < 10; number++) line.output(`detail ${number}`, 'detail')
    },
  }),
  early: task({
    on: 'once',
    needs: 'nothing',
    run: ({ line }) =>
      line.list([
        {
          title: 'A step',
          run: async (step: Line) => {
            step.output('the only line')
            await sleep(1000)
          },
        },
      ]),
  }),
  fleet: task({
    on: 'once',
    needs: 'nothing',
    run: ({ line }) =>
      line.list(
        Array.from({ length: 60 }, (_, index) => ({
          title: `node-${index}`,
          continue: true,
          run: (own: Line) =>
            own.list([
              { title: 'Packages', run: () => sleep(50) },
              {
                title: 'A step with a title that is far too long for a narrow terminal',
                run: async (step: Line) => {
                  for (let number = 0; number < 20; number++) {
                    step.output(`output ${number} of node-${index}, which is wider than the terminal`, 'detail')
                    await sleep(20 + index)
                  }
                  if (index === 13) throw new KraftError({ kind: 'task', message: 'unlucky' })
                },
              },
            ]),
        })),
        { concurrent: true },
      ),
  }),
  strange: task({
    on: 'once',
    needs: 'nothing',
    run: ({ line }) =>
      line.list([
        {
          title: 'A step',
          run: async (step: Line) => {
            step.output('a\tb\tc\td\te\tf', 'detail')
            step.output('漢字'.repeat(30), 'detail')
            step.output('🚀 '.repeat(30), 'detail')
            step.output('bell\u0007 and Reading… 5%\rReading… 100%', 'detail')
            await sleep(1500)
          },
        },
      ]),
  }),
  leak: task({
    on: 'once',
    needs: 'nothing',
    options: { fail: option({ type: 'boolean' }), reveal: option({ type: 'boolean' }) },
    run({ options, session, line }) {
      const value = 'canary-of-code'
      secret(value)
      if (options.reveal) return new Result(value, value, undefined, true)
      const said = `${value} and ${process.env.KRAFT_EC2_SECRET}`
      session.report.note(said)
      line.output(said)
      line.title(said)
      if (!options.fail) return new Result(said, { said })
      throw new KraftError({ kind: 'task', message: said, output: said, next: said }, new Error(said))
    },
  }),
  stray: task({
    on: 'once',
    needs: 'nothing',
    options: { dropped: option({ type: 'boolean' }) },
    async run({ session, options }) {
      session.onEnd(async () => void process.stdout.write('lock given back\n'))
      const error = new Error(`lost ${secret('canary-of-code')}, which is ${reveal(secret('canary-of-code'))}`)
      if (options.dropped) void Promise.reject(error)
      else
        setTimeout(() => {
          throw error
        }, 10)
      await sleep(20_000)
    },
  }),
  stuck: task({ on: 'once', needs: 'nothing', run: () => new Promise(() => undefined) }),
  endings: task({
    on: 'once',
    needs: 'nothing',
    options: { fail: option({ type: 'boolean' }) },
    run({ session, options }) {
      session.onEnd(async () => void process.stdout.write('lock given back\n'))
      session.onEnd(async () => {
        throw new KraftError({ kind: 'task', message: 'this could not be given back' })
      })
      if (options.fail) throw new KraftError({ kind: 'unreachable', node: 'one', message: 'gone' })
    },
  }),
  idle: task({ on: 'once', needs: 'nothing', run: () => undefined }),
  code: task({ on: 'once', needs: 'nothing', raw: true, takesRest: true, run: ({ rest }) => new ExitCode(Number(rest[0])) }),
  bug: task({
    on: 'once',
    needs: 'nothing',
    run() {
      throw new TypeError('undefined is not a function')
    },
  }),
}

const app: App = {
  root: process.cwd(),
  version: '1.2.3',
  tasks: async () => tasks,
  task: async (name) => tasks[name],
  open: async () => ({
    project: undefined,
    user: () => nothingSet,
    warnings: ['~/.kraftwerk.yaml can be read by others'],
    words: async () => [],
    inventory: async () => ({ get: () => undefined, all: () => [] }),
    resolve: async ({ word = '' }) => [{ word, nodes: [], project: undefined }],
  }),
}

leave(await main(app, process.argv.slice(2)))
