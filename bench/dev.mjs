// `kraft dev` of a new Django project until its page answers, against `manage.py runserver` of the same project in the same turns.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { more, spread } from './measure.mjs'
import { call, env, kraft, outside } from './place.mjs'

export const about = 'the start of kraft dev'
export const needsNode = false

const port = 8765

export async function measure({ runs, signal, row }) {
  await call(['init', 'shop', '--django'], { signal })
  const cwd = join(outside, 'shop')
  const python = join(cwd, '.venv', 'bin', 'python')
  await once(spawn(python, ['manage.py', 'migrate'], { cwd, env: { ...env, DEBUG: 'on' }, stdio: 'ignore' }), 'exit')
  const commands = {
    runserver: [python, 'manage.py', 'runserver', `127.0.0.1:${port}`],
    web: [...kraft, 'dev', '--only', 'web', '--port', String(port)],
    all: [...kraft, 'dev', '--port', String(port)],
  }
  const times = { runserver: [], web: [], all: [] }
  for (let run = 0; run < runs; run++)
    for (const [name, command] of Object.entries(commands)) times[name].push(await untilItAnswers(command, cwd, signal))
  row({ what: 'manage.py runserver until its page answers', ...spread(times.runserver) })
  const beyond = (name) => ({ over: 'runserver', more: more(times[name], times.runserver), aim: 2000 })
  row({ what: 'kraft dev --only web, the same page', ...spread(times.web), ...beyond('web') })
  row({ what: 'kraft dev with its worker, the same page', ...spread(times.all), ...beyond('all') })
}

async function untilItAnswers([file, ...words], cwd, signal) {
  const started = performance.now()
  // A group of its own: runserver is two processes.
  const child = spawn(file, words, { cwd, env: { ...env, DEBUG: 'on' }, stdio: 'ignore', detached: true })
  const ended = once(child, 'exit')
  const stop = () => process.kill(-child.pid, 'SIGINT')
  signal?.addEventListener('abort', stop)
  try {
    while (!(await answers())) {
      signal?.throwIfAborted()
      if (child.exitCode !== null) throw new Error(`${file} ${words.join(' ')} ended with ${child.exitCode}`)
      await sleep(5)
    }
    return performance.now() - started
  } finally {
    signal?.removeEventListener('abort', stop)
    if (child.exitCode === null) stop()
    await ended
  }
}

function answers() {
  return new Promise((resolve) => {
    const asked = get({ host: '127.0.0.1', port, path: '/healthz' }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    asked.on('error', () => resolve(false))
  })
}
