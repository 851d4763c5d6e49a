import { word } from '../name.js'
import { variableProblem } from '../variable-name.js'
import type { Detector, Finding } from './finding.js'
import { readServing, type Serving } from './serving.js'
import type { ProjectTree } from './tree.js'

/** Heroku's Procfile: `web` names the callable and how it is served, `release` the release command, all others are processes. */
export const procfile: Detector = (tree) =>
  (tree.read('Procfile') ?? '').split('\n').flatMap((row, index) => {
    const [, name, command] = /^\s*([\w-]+)\s*:\s*(\S.*?)\s*$/.exec(row) ?? []
    return name === undefined || command === undefined ? [] : entry(name, command, { file: 'Procfile', line: index + 1 }, tree)
  })

type Place = Pick<Finding, 'file' | 'line'>

function entry(name: string, text: string, place: Place, tree: ProjectTree): readonly Finding[] {
  if (name === 'web') return web(text, place, tree)
  // On a node the virtualenv is entered already, and what would enter it is not there.
  const command = text.replace(/^(?:poetry|pipenv|uv) run (?!-)/, '')
  if (name === 'release') return [{ what: 'the release command', ...place, sets: { release: command } }]
  const called = name.toLowerCase()
  if (!word.test(called))
    return [{ what: `the process ${name}`, ...place, todo: `A process can't be called "${name}": give it another name` }]
  return [{ what: `the process ${called}`, ...place, sets: { processes: { [called]: command } } }]
}

function web(command: string, place: Place, tree: ProjectTree): readonly Finding[] {
  const serving = readServing(command)
  if (serving === undefined)
    return [{ what: 'the web process', ...place, todo: `It is started by something else than gunicorn: ${command}` }]
  return [callable(serving, command, place, tree), ...settings(serving, place)]
}

function callable({ app, options }: Serving, command: string, place: Place, tree: ProjectTree): Finding {
  const about = { what: 'the web process', ...place }
  if (app === undefined) return { ...about, todo: `It names no callable: ${command}` }
  const isAsync = options.some(([name, value]) => name === 'worker-class' && /uvicorn|asgi|hypercorn/i.test(value))
  if (isAsync || /\basgi\b/.test(app))
    return { ...about, todo: `${app} is served as ASGI there; kraft serves WSGI, so nothing answers websockets` }
  if (!/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\(\))?)?$/.test(app)) {
    return { ...about, todo: `kraft can't take "${app}": give it a name in a module, or a factory that needs no arguments` }
  }
  const wsgi = app.includes(':') ? app : `${app}:application`
  const src = options
    .flatMap(([name, value]) => foldersIn(name, value))
    .find((path) => tree.files.some((file) => file.startsWith(`${path}/`)))
  return { what: `the WSGI callable ${wsgi}`, ...place, sets: { wsgi, ...(src === undefined ? {} : { src }) } }
}

/** Folders that an option puts on Python's path, from the top of the project, which is /app at Heroku. */
function foldersIn(name: string, value: string): readonly string[] {
  const said = name === 'chdir' ? value : name === 'env' ? (/^PYTHONPATH=(.*)/s.exec(value)?.[1] ?? '') : ''
  return said.split(':').map((path) => path.replace(/^(?:\/app(?=\/|$))?(?:\.?\/)?/, '').replace(/\/$/, ''))
}

interface Counted {
  readonly key: 'workers' | 'threads' | 'timeout' | 'drain'
  readonly most: number
  readonly says: (count: number) => string
}

const counted: Readonly<Record<string, Counted>> = {
  workers: { key: 'workers', most: 64, says: (count) => `${count} ${count === 1 ? 'worker' : 'workers'}` },
  threads: { key: 'threads', most: 256, says: (count) => `${count} ${count === 1 ? 'thread' : 'threads'}` },
  timeout: { key: 'timeout', most: 3600, says: (count) => `${count} s for a request` },
  'graceful-timeout': { key: 'drain', most: 3600, says: (count) => `${count} s to finish` },
}

/** Where it listens, what it logs and as whom it runs is kraft's; `./gunicorn.conf.py` it reads by itself. */
const kraftsOwn =
  /^(?:bind|backlog|(?:error|access)-log(?:file|format)|log-(?:file|level|config)|capture-output|forwarded-allow-ips|worker-tmp-dir|pid|name|user|group|umask|daemon|chdir|reload.*|env|enable-stdio-inheritance|no-control-socket|no-sendfile)$/

function settings({ program, options }: Serving, place: Place): readonly Finding[] {
  const sets: Partial<Record<Counted['key'], number>> = {}
  const said: string[] = []
  const left: string[] = []
  for (const [name, value] of options) {
    const setting = Object.hasOwn(counted, name) ? counted[name] : undefined
    // As in ${WEB_CONCURRENCY:-3}.
    const count = Number(/^(?:\$\{\w+:-)?(\d+)\}?$/.exec(value)?.[1] ?? 0)
    if (setting !== undefined && count >= 1 && count <= setting.most) {
      sets[setting.key] = count
      said.push(setting.says(count))
    } else if (program === 'gunicorn' && !isKrafts(name, value)) left.push(value === '' ? `--${name}` : `--${name} ${value}`)
  }
  const environ = variablesIn(options)
  const found: Finding[] = []
  if (said.length > 0) found.push({ what: said.join(', '), ...place, sets })
  if (Object.keys(environ).length > 0) found.push({ what: Object.keys(environ).join(', '), ...place, sets: { environ } })
  if (left.length > 0) {
    const todo = `kraft has no setting for this; gunicorn takes it by environ: { GUNICORN_CMD_ARGS: ${JSON.stringify(left.join(' '))} }`
    found.push({ what: 'options of gunicorn', ...place, todo })
  }
  return found
}

/** Variables that are written out and that kraftwerk.yaml may set. */
function variablesIn(options: Serving['options']): Readonly<Record<string, string>> {
  const pairs = options.flatMap(([name, value]) => (name === 'env' && !value.includes('$') ? [value.split(/=(.*)/s)] : []))
  const ours = ([name = '', value]: readonly string[]) =>
    value !== undefined && name !== 'PYTHONPATH' && variableProblem(name) === undefined
  return Object.fromEntries(pairs.filter(ours))
}

// How many workers a variable of Heroku says is not known here.
function isKrafts(name: string, value: string): boolean {
  return kraftsOwn.test(name) || /\$/.test(value) || (name === 'config' && /^(\.\/)?gunicorn\.conf\.py$/.test(value))
}
