import type { App } from './app.js'
import { ownFailure, passesCode } from './passing.js'

/** Runs kraft with the arguments behind its name and returns the exit code. Prints errors; throws nothing. */
export async function main(app: App, args: readonly string[]): Promise<number> {
  try {
    return await dispatch(app, args)
  } catch (error) {
    const [{ showError }, { exitCode }] = await Promise.all([import('./show-error.js'), import('./exit.js')])
    const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
    const code = passesCode(args) ? ownFailure : exitCode(error)
    showError(error, { debug: own.includes('--debug'), events: own.includes('--events'), code })
    return code
  }
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
  if (/^(run|shell)$|:/.test(first)) void import('../ssh/warm/spare.js').then(({ prepareHolder }) => prepareHolder())
  const { execute } = await import('./execute.js')
  return execute(app, first, others)
}
