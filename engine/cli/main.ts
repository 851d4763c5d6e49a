import type { App } from './app.js'
import { ownFailure, passesCode } from './passing.js'
import { outliveReaders } from './readers.js'
import { unlessStray, wasCutShort } from './stray.js'

/** Runs kraft with the arguments behind its name and returns the exit code. Prints errors; throws nothing. */
export async function main(app: App, args: readonly string[]): Promise<number> {
  outliveReaders()
  try {
    return await unlessStray(dispatch(app, args))
  } catch (error) {
    const [{ showError }, { exitCode }] = await Promise.all([import('./show-error.js'), import('./exit.js')])
    const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
    const code = passesCode(args) ? ownFailure : exitCode(error)
    showError(error, { debug: own.includes('--debug'), events: own.includes('--events'), code })
    return code
  }
}

/** Ends this process with what {@link main} returned. */
export function leave(code: number): void {
  // What was interrupted may still wait for something.
  if (code === 130 || wasCutShort()) process.exit(code)
  // What could not be written is a failure although all else went well.
  if (code !== 0 || process.exitCode === undefined) process.exitCode = code
}

async function dispatch(app: App, args: readonly string[]): Promise<number> {
  const [first, ...others] = args
  if (first === '--version' || first === '-V') {
    process.stdout.write(`${app.version}\n`)
    return 0
  }
  if (first === '--complete') return (await import('./completion/answer.js')).answer(app, others)
  if (
    first === undefined ||
    first === '--list' ||
    first === '--help' ||
    first === '-h' ||
    (first === 'help' && (others.length === 0 || others[0] === 'help'))
  ) {
    const { showList } = await import('./list.js')
    return showList(app, others.includes('--json'))
  }
  if (first.startsWith('-')) {
    const { KraftError } = await import('../errors/failure.js')
    throw new KraftError({
      kind: 'usage',
      message: `Name a task before ${first}`,
      next: 'For example: kraft deploy:stage (kraft alone lists the tasks)',
    })
  }
  // Without it the same takes a little longer.
  if (/^(run|shell)$|:/.test(first)) import('../ssh/warm/spare.js').then((spare) => spare.prepareHolder()).catch(() => undefined)
  const { execute } = await import('./execute.js')
  return execute(app, first, others)
}
