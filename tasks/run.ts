import { KraftError } from '../engine/errors/failure.js'
import { quote } from '../engine/shell/sh.js'
import type { Asked } from '../engine/task/context.js'
import { option } from '../engine/task/option.js'
import { ExitCode, Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import type { Place } from './fan-out.js'
import { codeNodes, firstWebNode, whereabouts } from './first-node.js'

/** Runs one command in the project's environment; its output, input and exit code pass through. */
export const run = task({
  on: 'once',
  group: 'Day by day',
  meantBy: ['exec', 'manage', 'migrate', 'command'],
  help: "run a command in the project's environment on the node\nOr on several nodes at once.",
  changes: 'what the command changes',
  examples: [
    'kraft run:stage -- manage.py migrate',
    'kraft run:stage -- python - < script.py',
    'kraft run:stage -- bash -c "ls | wc -l"',
    'kraft run:all -- hostname',
    'kraft run:live --each -- tail -n 3 /web/shop/log/web',
  ],
  raw: true,
  gathers: true,
  takesRest: true,
  options: { each: option({ type: 'boolean', help: 'on each node of the environment, not only on the first' }) },
  async run({ asked, options, rest, session }) {
    if (rest.length === 0) {
      throw new KraftError({ kind: 'usage', message: 'Say what to run', next: 'For example: kraft run:stage -- manage.py check' })
    }
    const command = rest.map(quote).join(' ')
    const places = choose(asked, options.each)
    const [only, ...more] = places
    if (only === undefined) return undefined
    if (session.flags.dryRun) {
      const nodes = places.map(({ node }) => node.name)
      const where = `${nodes.join(', ')}, ${whereabouts(only.target, only.node)}`
      return new Result(`Would run on ${where}: ${command}`, { node: only.node.name, nodes, command: rest })
    }
    const lineOf = ({ target, node }: Place) =>
      target.project === undefined ? command : node.asRoot(target.project.enter(`exec ${command}`))
    if (more.length > 0 || session.flags.json) {
      const { fanOut } = await import('./fan-out.js')
      return fanOut(places, lineOf, session)
    }
    const { runPiped } = await import('../engine/ssh/terminal.js')
    return new ExitCode(await runPiped(only.node.connection, lineOf(only)))
  },
})

// The same node of the same target is one place, however often it was named.
function choose({ targets, all }: Asked, each: boolean): readonly Place[] {
  const places = targets.flatMap((target) =>
    (all || each ? codeNodes(target) : [firstWebNode(target)]).map((node): [string, Place] => [
      `${target.project?.name} ${node.name}`,
      { target, node },
    ]),
  )
  return [...new Map(places).values()]
}
