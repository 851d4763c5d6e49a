// A saved Python file until visitors get it: `kraft up --watch` with the Django guestbook, and runserver's own reload of the same file on the
// same node in the same turns.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { ratio, spread, time } from './measure.mjs'
import { env, kraft, openssh, outside, withState } from './place.mjs'

export const about = 'a saved file until it is live'
export const needsNode = true

const view = (text) => `\n\ndef release(request):\n    return text("${text}")\n`
const folder = '/srv/runserver'
const asks = 'curl -s http://127.0.0.1:8001/release'
const begin = `mkdir -p ${folder}; cp -R /web/guestbook/current/. ${folder}; cd ${folder}; rm -rf .kraft; cp guestbook/views.py /srv/views.py
python=$(readlink -f /web/guestbook/current/.kraft/venv)/bin/python; $python manage.py migrate >/dev/null
DEBUG=on setsid nohup $python manage.py runserver 127.0.0.1:8001 >/dev/null 2>&1 </dev/null & echo $! >/srv/runserver.pid
until ${asks} >/dev/null; do sleep 0.1; done`
const save = (
  text,
) => `cd ${folder}; begun=$(date +%s%N); { cat /srv/views.py; printf '${view(text).replaceAll('\n', '\\n')}'; } >guestbook/views.py
until [ "$(${asks})" = ${text} ]; do sleep 0.02; done; echo "ms=$((($(date +%s%N) - begun) / 1000000))"`
const end = `kill -- -$(cat /srv/runserver.pid); rm -rf ${folder} /srv/views.py /srv/runserver.pid`

export async function measure({ runs, signal, row, node, project }) {
  const { address } = parse(readFileSync(join(outside, '.kraftwerk', 'nodes.yaml'), 'utf8'))[node]
  const ssh = openssh(node)
  const onNode = async (script) => (await time([...ssh, script], { cwd: outside, env, signal })).said
  const file = (name) => join(project, name)
  const views = readFileSync(file('guestbook/views.py'), 'utf8')
  const models = readFileSync(file('entries/models.py'), 'utf8')
  await onNode(begin)
  // As a person has it, whose connection stays open.
  const { CI: _, ...person } = withState
  const watching = spawn(kraft[0], [...kraft.slice(1), `up:${node}`, '--watch'], {
    cwd: project,
    env: person,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const stop = () => watching.kill('SIGINT')
  signal?.addEventListener('abort', stop)
  const said = follow(watching)
  const times = { runserver: [], code: [], whole: [] }
  try {
    await said('Whatever is saved')
    for (let run = 0; run < runs; run++) {
      times.runserver.push(Number(/ms=(\d+)/.exec(await onNode(save(`own${run}`)))?.[1]))
      for (const kind of ['code', 'whole']) {
        const text = `${kind}${run}`
        const started = performance.now()
        // With a model beside it all of a deploy is done.
        if (kind === 'whole') writeFileSync(file('entries/models.py'), `${models}# ${text}\n`)
        writeFileSync(file('guestbook/views.py'), views + view(text))
        while ((await ask(address)) !== text) {
          signal?.throwIfAborted()
          await sleep(5)
        }
        times[kind].push(performance.now() - started)
        await said('after it was saved', times.code.length + times.whole.length)
      }
    }
  } finally {
    stop()
    writeFileSync(file('guestbook/views.py'), views)
    writeFileSync(file('entries/models.py'), models)
    await onNode(end)
  }
  row({ what: "runserver's reload of a saved file", ...spread(times.runserver) })
  const compared = { ratio: ratio(times.code, times.runserver) }
  row({ what: 'kraft up --watch, a saved Python file until visitors get it', ...spread(times.code), aim: 2000, ...compared })
  row({ what: 'the same with a model, so that it builds and migrates', ...spread(times.whole) })
}

/** Waits until a process has said something so often. */
function follow(child) {
  let text = ''
  child.stderr.on('data', (chunk) => {
    text += chunk
  })
  return async (words, often = 1) => {
    while (text.split(words).length <= often) {
      if (child.exitCode !== null) throw new Error(`kraft up --watch ended:\n${text}`)
      await sleep(20)
    }
  }
}

function ask(host) {
  return new Promise((resolve) => {
    const asked = get({ host, path: '/release' }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece) => {
        text += piece
      })
      answer.on('end', () => resolve(text.trim()))
    })
    asked.on('error', () => resolve(''))
  })
}
