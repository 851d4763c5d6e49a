import { KraftError } from '../engine/errors/failure.js'
import { quote } from '../engine/shell/sh.js'
import { ExitCode, Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { firstWebNode, whereabouts } from './first-node.js'

/** Runs one command in the project's environment; its output, input and exit code pass through. */
export const run = task({
  on: 'once',
  group: 'Day by day',
  help: "run a command in the project's environment on the node",
  examples: [
    'kraft run:stage -- manage.py migrate',
    'kraft run:stage -- python - < script.py',
    'kraft run:stage -- bash -c "ls | wc -l"',
  ],
  raw: true,
  takesRest: true,
  async run({ target, rest, session }) {
    const node = firstWebNode(target)
    if (rest.length === 0) {
      throw new KraftError({ kind: 'usage', message: 'Say what to run', next: 'For example: kraft run:stage -- manage.py check' })
    }
    const command = rest.map(quote).join(' ')
    if (session.flags.dryRun) {
      return new Result(`Would run on ${node.name}, ${whereabouts(target, node)}: ${command}`, { node: node.name, command: rest })
    }
    const { runPiped } = await import('../engine/ssh/terminal.js')
    const line = target.project === undefined ? command : node.asRoot(target.project.enter(`exec ${command}`))
    return new ExitCode(await runPiped(node.connection, line))
  },
})
