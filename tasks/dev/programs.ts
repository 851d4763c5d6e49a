import { join } from 'node:path'
import { KraftError } from '../../engine/errors/failure.js'
import { didYouMean } from '../../engine/errors/nearest.js'
import type { ProcessSetting } from '../../project/program-keys.js'

/** A program that runs while a developer works. */
export interface Program {
  /** What stands before its lines: `web`, or that of `processes:`. */
  readonly name: string
  readonly command: readonly [string, ...string[]]
  /** Variables of its own. */
  readonly environ: Readonly<Record<string, string>>
  /** It sees by itself that a file was saved; else it is started anew. */
  readonly reloads: boolean
  /** Seconds between TERM and KILL. */
  readonly patience: number
}

/** What decides how the site is served. */
export interface Site {
  readonly framework: string
  /** `module.module:callable`. */
  readonly wsgi: string
  readonly virtualenv: string
  /** The path of the project's manage.py, if it has one. */
  readonly manage: string | undefined
  /** Whether the virtualenv has a program. */
  has(program: string): boolean
  readonly port: number
}

/** A developer waits for the end of a program at each Ctrl-C. */
const patience = 5

// Python's own server, where nothing else is installed: one request at a time.
const plainServer = `import importlib, sys
from wsgiref.simple_server import make_server
module, _, name = sys.argv[1].partition(":")
made = importlib.import_module(module)
for part in name.partition("(")[0].split("."):
    made = getattr(made, part)
make_server("127.0.0.1", int(sys.argv[2]), made() if name.endswith("()") else made).serve_forever()
`

/**
 * How the site is served here: by Django's runserver, Flask's own server, gunicorn, or Python's, whichever fits first.
 *
 * @example webProgram({ framework: 'django', manage: '/home/ada/shop/manage.py', port: 8000, … }).command
 */
export function webProgram({ framework, wsgi, virtualenv, manage, has, port }: Site): Program {
  const python = join(virtualenv, 'bin/python')
  const at = `127.0.0.1:${port}`
  const program = (reloads: boolean, ...command: readonly [string, ...string[]]): Program => {
    return { name: 'web', command, environ: {}, reloads, patience }
  }
  if (framework === 'django') {
    return manage === undefined
      ? program(true, python, '-m', 'django', 'runserver', at)
      : program(true, python, manage, 'runserver', at)
  }
  if (framework === 'flask' && has('flask')) {
    return program(true, join(virtualenv, 'bin/flask'), 'run', '--debug', '--host', '127.0.0.1', '--port', String(port))
  }
  if (has('gunicorn')) {
    const gunicorn = join(virtualenv, 'bin/gunicorn')
    return program(true, gunicorn, '--reload', '--bind', at, '--access-logfile', '-', wsgi)
  }
  return program(false, python, '-c', plainServer, wsgi, String(port))
}

/** The programs of `processes:`, one copy of each that has any. */
export function processPrograms(processes: Readonly<Record<string, ProcessSetting>>): readonly Program[] {
  return Object.entries(processes).map(([name, { command }]) => ({
    name,
    command: ['bash', '-c', command],
    environ: { KRAFT_PROCESS: name, KRAFT_PROCESS_INDEX: '1' },
    reloads: false,
    patience,
  }))
}

/**
 * The names of what runs: all but processes that have no copies, or those that were asked for (`web,worker`). Throws `usage` for one
 * that there is not.
 */
export function chosenNames(processes: Readonly<Record<string, ProcessSetting>>, only: readonly string[]): readonly string[] {
  const all = ['web', ...Object.keys(processes)]
  const asked = only.flatMap((words) => words.split(',')).flatMap((word) => word.trim() || [])
  if (asked.length === 0) return all.filter((name) => processes[name]?.count !== 0)
  const wrong = asked.find((name) => !all.includes(name))
  if (wrong === undefined) return all.filter((name) => asked.includes(name))
  throw new KraftError({
    kind: 'usage',
    message: `There is no process "${wrong}".${didYouMean(wrong, all)}`,
    next: `--only takes names with commas between them, of: ${all.join(', ')}`,
  })
}
