import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { KraftError } from '../../errors/failure.js'
import { quote } from '../../shell/sh.js'
import { type CompletingShell, completionScript, shells } from './scripts.js'

/** Where a shell finds how to complete kraft. */
export interface Installation {
  readonly shell: CompletingShell
  /** The script; it asks kraft at each key, so that a later version has to replace it only where it changed itself. */
  readonly script: string
  /** The file that the shell reads at its start, and the line there that reads the script; fish finds the script by itself. */
  readonly start?: { readonly file: string; readonly line: string }
}

const mark = '# kraft completion'

/**
 * Where completion goes for a shell, by the variables that it goes by itself.
 *
 * @example installationOf('fish', { HOME: '/home/ada' }).script // '/home/ada/.config/fish/completions/kraft.fish'
 */
export function installationOf(shell: CompletingShell, environment: NodeJS.ProcessEnv): Installation {
  const home = environment.HOME || homedir()
  if (shell === 'fish') {
    return { shell, script: join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'fish/completions/kraft.fish') }
  }
  const script = join(home, '.kraftwerk', `completion.${shell}`)
  const read = `[ ! -r ${quote(script)} ] || . ${quote(script)}`
  if (shell === 'bash') return { shell, script, start: { file: join(home, '.bashrc'), line: `${read}  ${mark}` } }
  // It completes nothing before compinit has run, which not every .zshrc does.
  const ready = '(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }'
  return { shell, script, start: { file: join(environment.ZDOTDIR || home, '.zshrc'), line: `${ready}; ${read}  ${mark}` } }
}

/**
 * The shell that a person uses, by SHELL. Throws a KraftError (`usage`) where it is none that kraft completes in.
 *
 * @example shellOf({ SHELL: '/usr/bin/zsh' }) // 'zsh'
 */
export function shellOf({ SHELL = '' }: NodeJS.ProcessEnv): CompletingShell {
  const name = shells.find((each) => SHELL.endsWith(`/${each}`) || SHELL === each)
  if (name !== undefined) return name
  throw new KraftError({
    kind: 'usage',
    message: SHELL === '' ? 'SHELL does not say which shell is yours' : `kraft does not complete in ${SHELL}`,
    next: `Name one: kraft completion ${shells.join('|')} --install`,
  })
}

/** What of an installation is not there yet: paths of files that would change. */
export async function lacking({ shell, script, start }: Installation): Promise<readonly string[]> {
  const files = (await textOf(script)) === completionScript(shell) ? [] : [script]
  const isRead = start === undefined || (await textOf(start.file)).split('\n').includes(start.line)
  return isRead ? files : [...files, start.file]
}

/** Writes what {@link lacking} names. Adds one marked line to the file that a shell starts with, and changes nothing else of it. */
export async function install(installation: Installation): Promise<readonly string[]> {
  const { shell, script, start } = installation
  const files = await lacking(installation)
  try {
    if (files.includes(script)) {
      await mkdir(dirname(script), { recursive: true, mode: 0o700 })
      await writeFile(script, completionScript(shell))
    }
    if (start !== undefined && files.includes(start.file)) {
      const before = await textOf(start.file)
      // In place: it may be a link to where somebody keeps such files.
      await appendFile(start.file, `${before === '' || before.endsWith('\n') ? '' : '\n'}${start.line}\n`)
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new KraftError({ kind: 'task', message: `Completion could not be installed: ${why}` }, error)
  }
  return files
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
