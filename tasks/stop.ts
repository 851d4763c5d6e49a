import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { stop as stopSteps } from '../recipes/stopped.js'
import { changeServing } from './serving.js'

/** Stops web and processes of an instance, for good: no reboot starts them, and the site answers 503. */
export const stop = task({
  on: 'once',
  rolling: true,
  connection: 'alone',
  needs: 'instance',
  group: 'Operate',
  help: 'stop web and processes until start or the next deploy\nThe site answers 503, and no reboot starts them.',
  changes:
    'web and processes end, also after a reboot, and the site answers 503; cron, servers of its own, code and data stay as they are',
  examples: ['kraft stop:stage'],
  async run(context) {
    const { name } = await changeServing(context, 'stop', ({ place }, { patience }) => stopSteps(place, patience))
    const { word } = context.target
    if (context.session.flags.dryRun) return new Result(`Would stop ${name}`, { name })
    return new Result(`${name} is stopped`, { name }, `kraft start:${word}`)
  },
})
