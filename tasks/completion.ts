import { completionScript, shells } from '../engine/cli/completion/scripts.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'

/** Prints the script that teaches a shell to complete tasks, targets, options and their values. */
export const completion = task({
  on: 'once',
  needs: 'nothing',
  group: 'More',
  help: 'print the script that teaches your shell to complete kraft',
  raw: true,
  examples: [
    'echo \'eval "$(kraft completion bash)"\' >>~/.bashrc',
    'echo \'eval "$(kraft completion zsh)"\' >>~/.zshrc',
    'kraft completion fish >~/.config/fish/completions/kraft.fish',
  ],
  options: { shell: option({ type: 'string', positional: true, required: true, choices: shells, help: 'your shell' }) },
  run({ options }) {
    const script = completionScript(options.shell)
    return new Result(script.trimEnd(), { shell: options.shell, script })
  },
})
