import type { App } from './app.js'

/** Runs kraft with the arguments behind its name and returns the exit code. Prints errors; throws nothing. */
export async function main(app: App, args: readonly string[]): Promise<number> {
  const [word = ''] = args
  const passes = /^(run|shell|psql|redis-cli|mysql|sqlite3|service-shell)(:|$)/.test(word)
  const raw = passes || (/^dev(:|$)/.test(word) && args.includes('--'))
  try {
    return await dispatch(app, args)
  } catch (error) {
    const [{ showError }, { exitCode }] = await Promise.all([import('./show-error.js'), import('./exit.js')])
    const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
    const code = raw ? 255 : exitCode(error)
    showError(error, { debug: own.includes('--debug'), events: own.includes('--events'), code })
    // A command's own codes pass through run and shell, so kraft's failures take the code that ssh uses for its own.
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
    (first === 'help' && others.length === 0)
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
