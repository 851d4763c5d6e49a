import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { start as startSteps } from '../recipes/stopped.js'
import { changeServing } from './serving.js'

/** Starts what stop has stopped. */
export const start = task({
  on: 'once',
  rolling: true,
  connection: 'alone',
  needs: 'instance',
  group: 'Operate',
  help: 'start what stop has stopped; the site opens once the application answers',
  examples: ['kraft start:stage'],
  async run(context) {
    const { name } = await changeServing(context, 'start', startSteps)
    return new Result(`${name} ${context.session.flags.dryRun ? 'would run' : 'runs'}`, { name })
  },
})
