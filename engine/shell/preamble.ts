import { reveal, type Secret } from './secret.js'
import { quote } from './sh.js'

/** What a command on a node gets beside its text. */
export interface Added {
  readonly cwd: string | undefined
  readonly env: NodeJS.ProcessEnv | undefined
  readonly secrets: ReadonlyMap<string, Secret>
}

/**
 * Text for the node's shell that runs `command` with `cwd`, `env` and secrets, in `shell` if that is not bash. Values of variables
 * are not in it, because everybody on the node can read command lines: they go ahead of the command's own input, as `preamble`.
 */
export function addedTo(command: string, { cwd, env, secrets }: Added, shell = 'bash'): { text: string; preamble: string } {
  const variables = [
    ...foreign(env).map(([name, value]) => `export ${name}=${quote(value)}\n`),
    ...[...secrets].map(([name, secret]) => `${name}=${quote(reveal(secret))}\n`),
  ].join('')
  const preamble = padded(variables)
  const text = [
    cwd === undefined ? '' : `cd -- ${quote(cwd)} || exit\n`,
    preamble === '' ? '' : `eval "$(head -c ${Buffer.byteLength(preamble)})"\n`,
    command,
  ].join('')
  return { text: shell === 'bash' ? text : `exec ${quote(shell)} -c ${quote(text)}`, preamble }
}

// Who spreads process.env into env, as one does for commands of this machine, does not mean to take PATH and HOME along.
function foreign(env: NodeJS.ProcessEnv = {}): readonly [string, string][] {
  return Object.entries(env).filter((entry): entry is [string, string] => {
    const [name, value] = entry
    if (value === undefined || process.env[name] === value) return false
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new TypeError(`No shell knows a variable called "${name}"`)
    return true
  })
}

// Its length is part of the command line, and is not to tell that of a secret.
function padded(variables: string): string {
  if (variables === '') return ''
  const size = Buffer.byteLength(variables)
  return variables + '\n'.repeat(Math.ceil(size / 1024) * 1024 - size)
}
