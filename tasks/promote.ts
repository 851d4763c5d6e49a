import { KraftError } from '../engine/errors/failure.js'
import type { Target } from '../engine/task/context.js'
import { option } from '../engine/task/option.js'
import { runTask } from '../engine/task/run.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { releaseNodes } from '../recipes/followers.js'
import { openPromoted, type Promotion } from './promoted.js'
import { promoteTo } from './upload.js'

/** Deploys to another environment the very release that one runs. */
export const promote = task({
  on: 'once',
  rolling: true,
  gathers: true,
  connection: 'alone',
  needs: 'instance',
  group: 'Deploy',
  meantBy: ['promotion'],
  help: 'deploy to another environment the very release that one runs\nIts files and the versions of its packages.',
  changes: 'as deploy does, on the nodes of the other environment',
  examples: ['kraft promote:stage live', 'kraft promote:stage live --dry-run', 'kraft promote:stage live --batch 1'],
  options: {
    to: option({ type: 'string', positional: true, target: true, required: true, help: 'the environment that gets it' }),
  },
  async run({ asked, session, line, options }) {
    const to = await session.resolve(options.to, 'instance', false)
    const [target, promotion] = promotionOf(asked.targets, to)
    let deployed: unknown
    await line.list([
      {
        title: `Fetch what ${promotion.from.environment ?? promotion.from.name} runs`,
        run: async (own) => promoteTo(promotion.to, session, await openPromoted(promotion, session, own)),
      },
      {
        title: `deploy:${target.word}`,
        // With the hooks that a kraftfile gives it, or what it has put in its place.
        run: async (own) => {
          deployed = await runTask({ task: await session.task('deploy'), target, options: {}, rest: [], session }, own)
        },
      },
    ])
    return deployed
  },
})

/** The target of the deploy, and what goes there. Throws `usage` where that can't be. */
function promotionOf(from: readonly Target[], to: readonly Target[]): readonly [Target, Promotion] {
  const [source, target] = [from[0], to[0]]
  if (source === undefined || target === undefined || from.length + to.length > 2) {
    throw refusal('promote brings the release of one environment to one other')
  }
  const [running, getting] = [requireInstance(source), requireInstance(target)]
  if (running.owner === getting.owner) {
    throw refusal(`${source.word} and ${target.word} are the same environment, which runs that release already`)
  }
  return [target, { from: running, nodes: releaseNodes(running, source.nodes), to: getting }]
}

function refusal(message: string): KraftError {
  return new KraftError({ kind: 'usage', message, next: 'Name two environments: kraft promote:stage live' })
}
