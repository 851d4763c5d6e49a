import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { KraftError } from '../../../engine/errors/failure.js'
import { lines, type Sh, sh } from '../../../engine/shell/sh.js'
import { aptSettings } from './apt-settings.js'
import { daemonDown, daemonRuns, daemonUp } from './daemon.js'
import { listens } from './listens.js'
import { gateway, ports, type State } from './names.js'
import { type PipConfig, parsePipConfig, pipEnvironment, proxpiEnvironment } from './pip-config.js'
import { proxyEnvironment } from './proxies.js'
import { asRoot, checkInterrupt } from './root.js'
import { template } from './template.js'

// Nodes have no way out. What they install comes through two caches on the bridge, which fetch the way this machine does.
const user = 'apt-cacher-ng'
const requirements = ['proxpi==1.3.1', 'waitress==3.0.2']

const aptFolder = (state: State) => `${state.root}/apt`
const pipFolder = (state: State) => `${state.root}/pip`
const python = (state: State) => `${pipFolder(state)}/venv/bin/python`

/** Installs the package index's programs unless they are there (10 s once). Throws a KraftError. */
export async function installMirrors(state: State, progress: (line: string) => void, signal?: AbortSignal): Promise<void> {
  const ready = `${pipFolder(state)}/venv/${requirements.join(',')}`
  if (existsSync(ready)) return
  const lock = `${state.root}/locks/pip`
  await asRoot(
    'Make a virtualenv for the package index',
    sh`
      [ ! -e ${ready} ] || exit 0
      echo 'Installing a caching package index, once'
      install -d -m 755 ${state.root} ${pipFolder(state)}
      /usr/bin/python3 -m venv --clear ${pipFolder(state)}/venv`,
    { lock, onLine: progress, signal },
  )
  const config = await pipConfig(state)
  await asRoot(
    'Install the package index',
    sh`
      [ ! -e ${ready} ] || exit 0
      ${python(state)} -m pip install --quiet --disable-pip-version-check --no-cache-dir ${requirements}
      touch ${ready}`,
    { lock, signal, environ: { ...proxyEnvironment(process.env), ...pipEnvironment(config) } },
  )
}

/** Script: both mirrors run, for a state whose bridge is up. Those that run already are left alone. */
export async function mirrorsUp(state: State): Promise<Sh> {
  const [apt, pip] = await Promise.all([aptUp(state), pipUp(state)])
  return lines(apt, pip)
}

async function aptUp(state: State): Promise<Sh> {
  const folder = aptFolder(state)
  if (await daemonRuns(folder)) return sh``
  const conf = template('acng.conf', { folder, gateway: gateway(state), port: ports.apt, proxy: await aptProxy() })
  return lines(
    sh`
      install -d -m 755 ${folder} ${folder}/conf
      install -d -m 755 -o ${user} -g ${user} ${folder}/cache ${folder}/log
      printf %s ${conf} >${folder}/conf/acng.conf`,
    daemonUp({ folder, user, command: ['/usr/sbin/apt-cacher-ng', '-c', `${folder}/conf`], environ: {} }),
  )
}

async function pipUp(state: State): Promise<Sh> {
  const folder = pipFolder(state)
  if (await daemonRuns(folder)) return sh``
  const config = await pipConfig(state)
  const cert = config.cert === undefined ? undefined : `${folder}/certificates.pem`
  return lines(
    sh`install -d -m 755 -o ${user} -g ${user} ${folder}/cache`,
    cert === undefined ? undefined : sh`install -m 644 ${config.cert ?? ''} ${cert}`,
    daemonUp({
      folder,
      user,
      command: [python(state), '-m', 'waitress', '--threads=16', `--listen=${gateway(state)}:${ports.pip}`, 'proxpi.server:app'],
      environ: {
        ...proxyEnvironment(process.env),
        ...proxpiEnvironment(config, cert),
        PROXPI_CACHE_DIR: `${folder}/cache`,
        PYTHONDONTWRITEBYTECODE: '1',
      },
    }),
  )
}

// As the user who runs kraft: root may have another configuration, or none.
async function pipConfig(state: State): Promise<PipConfig> {
  const { stdout } = await promisify(execFile)(python(state), ['-m', 'pip', 'config', 'list'], { cwd: '/' })
  return parsePipConfig(stdout)
}

/** Script: both mirrors are gone; their caches stay. */
export function mirrorsDown(state: State): Sh {
  return lines(daemonDown(aptFolder(state)), daemonDown(pipFolder(state)))
}

/** Returns when both mirrors answer. Throws a KraftError with what they said where they don't. */
export async function waitForMirrors(state: State, signal?: AbortSignal): Promise<void> {
  const each = [
    { name: 'package cache', port: ports.apt, folder: aptFolder(state) },
    { name: 'package index', port: ports.pip, folder: pipFolder(state) },
  ]
  await Promise.all(
    each.map(async ({ name, port, folder }) => {
      if (await listens(gateway(state), port, { timeout: 20_000, signal })) return
      checkInterrupt(signal)
      const { stdout } = await asRoot('Read the log of a mirror', sh`tail -n 15 ${folder}/out`)
      throw new KraftError({
        kind: 'task',
        message: `The nodes' ${name} does not answer on ${gateway(state)}:${port}`,
        output: stdout.trimEnd(),
        next: 'See what its log says; destroying the last local node stops it, the next one starts it afresh.',
      })
    }),
  )
}

async function aptProxy(): Promise<string | undefined> {
  const [setting] = await aptSettings(['Acquire::http::Proxy'])
  const proxy = setting === undefined ? process.env.http_proxy : /"(.*)"/.exec(setting)?.[1]
  return proxy === undefined || proxy === '' || proxy === 'DIRECT' ? undefined : proxy
}
