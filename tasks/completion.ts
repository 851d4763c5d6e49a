import { install, installationOf, lacking, shellOf } from '../engine/cli/completion/install.js'
import { completionScript, shells } from '../engine/cli/completion/scripts.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'

/** Teaches a shell to complete tasks, targets, options and their values, or prints the script that does. */
export const completion = task({
  on: 'once',
  needs: 'nothing',
  group: 'More',
  help: 'teach your shell to complete kraft, or print the script for it',
  raw: true,
  changes: 'nothing; --install writes the script for your shell here',
  examples: ['kraft completion --install', 'kraft completion zsh --install', 'eval "$(kraft completion bash)"'],
  options: {
    shell: option({ type: 'string', positional: true, choices: shells, help: 'your shell (default: the one that SHELL names)' }),
    install: option({ type: 'boolean', help: 'write it where your shell finds it, for good' }),
  },
  async run({ options, session }) {
    const shell = options.shell ?? shellOf(process.env)
    if (!options.install) {
      const script = completionScript(shell)
      return new Result(script.trimEnd(), { shell, script })
    }
    const installation = installationOf(shell, process.env)
    if (session.flags.dryRun) {
      const files = await lacking(installation)
      return new Result(
        files.length === 0 ? `${shell} completes kraft already` : files.map((file) => `Would write to ${file}`).join('\n'),
        { shell, files },
      )
    }
    const files = await install(installation)
    return files.length === 0
      ? new Result(`${shell} completes kraft already`, { shell, files })
      : new Result(`${shell} completes kraft from its next start on (${files.join(', ')})`, { shell, files }, `exec ${shell}`)
  },
})
