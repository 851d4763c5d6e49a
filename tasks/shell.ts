import { KraftError } from '../engine/errors/failure.js'
import { quote } from '../engine/shell/sh.js'
import { ExitCode, Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { firstWebNode, whereabouts } from './first-node.js'

/** Opens a shell with everything set up for the project. */
export const shell = task({
  on: 'once',
  group: 'Day by day',
  meantBy: ['ssh', 'bash', 'console', 'login'],
  help: "open a shell in the project's environment on the node",
  changes: 'what you type there',
  examples: ['kraft shell:stage'],
  raw: true,
  async run({ target, session }) {
    const node = firstWebNode(target)
    if (session.flags.dryRun) {
      return new Result(`Would open a shell on ${node.name}, ${whereabouts(target, node)}`, { node: node.name })
    }
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      const next = `For one command: kraft run:${target.word} -- COMMAND`
      throw new KraftError({ kind: 'usage', message: 'shell needs a terminal', next })
    }
    // The prompt says where one is: a shell on live should never look like one on stage.
    const prompt = `[ -f /etc/bash.bashrc ] && . /etc/bash.bashrc\nPS1='\\[\\e[36m\\]${target.project?.name}@${node.name}\\[\\e[0m\\]:\\w\\$ '`
    const command =
      target.project === undefined
        ? 'exec "$SHELL" -l'
        : node.asRoot(target.project.enter(`exec bash --rcfile <(printf '%s\\n' ${quote(prompt)}) -i`))
    const { runInteractive } = await import('../engine/ssh/terminal.js')
    return new ExitCode(await runInteractive(node.connection, command))
  },
})
