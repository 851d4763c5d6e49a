import { sh } from '../engine/shell/sh.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import { start as startSteps } from '../recipes/stopped.js'
import { afterStart } from './next-command.js'
import { changeServing } from './serving.js'
import { startMachines } from './start-machines.js'

/** Starts machines that are off, where their provider can, and what stop has stopped on them. */
export const start = task({
  on: 'once',
  rolling: true,
  connection: 'alone',
  group: 'Operate',
  help: 'start what stop has stopped, or a node that is off\nThe site opens once the application answers.',
  changes: 'what stop has stopped runs, and then the site is open; a machine that is off starts',
  examples: ['kraft start:stage', 'kraft start:one'],
  async run(context) {
    const { session } = context
    const { nodes, started, elsewhere } = await startMachines(context)
    const target = { ...context.target, nodes }
    const machines = started.join(', ')
    if (session.flags.dryRun && started.length > 0) {
      const then = target.project === undefined ? '' : `, then what ${target.project.name} runs there`
      return new Result(`Would start the machine ${machines}${then}`, { machines: started })
    }
    if (target.project === undefined) {
      const names = nodes.map(({ name }) => name).join(', ')
      const text = started.length === 0 ? `${names}: nothing to start, the machine is on` : `${machines} runs again`
      return new Result(text, { machines: started })
    }
    const instance = requireInstance(target)
    if (started.length > 0) {
      const links = await Promise.all(nodes.map((node) => node.read(sh`readlink ${layout.current(instance)} || :`.text)))
      if (links.every((link) => link.trim() === '')) {
        const text = `${machines} runs again; ${instance.name} has no release there yet`
        return new Result(text, { machines: started, name: instance.name }, `kraft deploy:${target.word}`)
      }
    }
    const { name } = await changeServing({ ...context, target }, 'start', startSteps)
    const text = `${name} ${session.flags.dryRun ? 'would run' : 'runs'}`
    const next = afterStart(instance, target.word, elsewhere)
    const told = next === undefined ? text : `${text}; it answers at the new address of ${elsewhere.join(', ')} after: ${next}`
    return new Result(told, { name, machines: started }, next)
  },
})
