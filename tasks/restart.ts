import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { restart as restartSteps } from '../recipes/stopped.js'
import { changeServing } from './serving.js'

/** Ends and starts everything that an instance runs. The blunt one: reload does it without losing a request. */
export const restart = task({
  on: 'once',
  rolling: true,
  connection: 'alone',
  needs: 'instance',
  group: 'Operate',
  help: 'end web and processes and start them again\nRequests are lost meanwhile; reload loses none.',
  changes: 'web and processes: they end and start again; release, environment and data stay',
  examples: ['kraft restart:stage', 'kraft restart:live --batch 1'],
  async run(context) {
    const { target, line, session } = context
    line.output(`Requests that come meanwhile are lost; kraft reload:${target.word} loses none`)
    const { name } = await changeServing(context, 'restart', restartSteps)
    return new Result(`${name} ${session.flags.dryRun ? 'would run' : 'runs'} anew`, { name })
  },
})
