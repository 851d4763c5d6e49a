// A deploy of one changed file and a rollback at 51 ms, against `rsync` and `ssh` doing the bare minimum in the same turns.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { overCable } from './cable.mjs'
import { spread, time } from './measure.mjs'
import { call, env, kraft, openssh, outside } from './place.mjs'

export const about = 'a deploy of one changed file and a rollback at 51 ms'
export const needsNode = true

const files = {
  'kraftwerk.yaml': 'name: plain\ndomain: plain.example.com\nwsgi: plain.wsgi:application\nworkers: 1\npackages: []\n',
  'plain/__init__.py': '',
  'plain/wsgi.py': `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [TEXT]
`,
}

// What gunicorn itself needs until the application answers, with nothing of kraft around it.
const gunicorn = '/web/plain/current/.kraft/venv/bin/gunicorn'
const answers = (socket) => `until curl -sf --unix-socket ${socket} http://localhost/ >/dev/null; do sleep 0.02; done`
const start = `cd /srv/bare; rm -f /run/alone.sock; begun=$(date +%s%N)
${gunicorn} -w 1 -b unix:/run/alone.sock plain.wsgi:application >/dev/null 2>&1 & ${answers('/run/alone.sock')}
echo "ms=$((($(date +%s%N) - begun) / 1000000))"; kill $!; wait $!`
const service = `mkdir -p /etc/sv/bare; printf '%s\\n' '#!/bin/sh' 'cd /srv/bare; rm -f /run/bare.sock' \\
'exec ${gunicorn} -w 1 -b unix:/run/bare.sock plain.wsgi:application 2>/dev/null' >/etc/sv/bare/run
chmod 755 /etc/sv/bare/run; ln -sfn /etc/sv/bare /etc/service/bare; ${answers('/run/bare.sock')}`

function ask(address) {
  return new Promise((resolve, reject) => {
    const asked = get({ host: address, path: '/', headers: { host: 'plain.example.com' } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece) => {
        text += piece
      })
      answer.on('end', () => resolve(text))
    })
    asked.on('error', reject)
  })
}

export async function measure({ runs, signal, row, node }) {
  const project = join(outside, 'plain')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(project, path, '..'), { recursive: true })
    writeFileSync(join(project, path), text)
  }
  const code = files['plain/wsgi.py']
  const change = (text) => writeFileSync(join(project, 'plain', 'wsgi.py'), `TEXT = b'${text}'\n${code}`)
  change('first')
  const cable = await overCable(outside, [node], 25.5)
  try {
    const [far = ''] = cable.names
    await call([`deploy:${far}`], { cwd: project, signal })
    const ssh = openssh(far)
    const login = ssh.at(-1)
    const onNode = async (script) => (await time([...ssh, script], { cwd: outside, env, signal })).said
    const current = async () => (await onNode('readlink /web/plain/current')).trim().split('/').at(-1)
    const { address } = parse(readFileSync(join(outside, '.kraftwerk', 'nodes.yaml'), 'utf8'))[node]
    // Visitors are near the node.
    const untilServed = async (command, text, environment = env) => {
      // runit looks for services once a second at the most, and the end of the last run's old processes had it look.
      await sleep(2500)
      const started = performance.now()
      let ended = false
      const whole = time(command, { cwd: project, env: environment, signal }).finally(() => {
        ended = true
      })
      let served
      while (served === undefined && !ended) {
        if ((await ask(address)) === text) served = performance.now() - started
        else await sleep(5)
      }
      const { milliseconds } = await whole
      if (served === undefined && (await ask(address)) !== text)
        throw new Error(`${command.join(' ')} ended, and nobody gets "${text}"`)
      return { served: served ?? milliseconds, ended: milliseconds }
    }
    const install = 'command -v rsync || apt-get install -qq rsync || sudo -n apt-get install -qq rsync'
    await time(['sh', '-c', install], { cwd: outside, env, signal })
    await onNode(install)
    const send = [
      'rsync',
      '-a',
      '--exclude',
      '__pycache__',
      '-e',
      ssh.slice(0, -1).join(' '),
      `${project}/`,
      `${login}:/srv/bare/`,
    ]
    await time(send, { cwd: outside, env, signal })
    await onNode(service)
    const starts = []
    for (let run = 0; run < runs; run++) starts.push(Number(/ms=(\d+)/.exec(await onNode(start))?.[1]))
    const own = spread(starts).median
    const bare = `"$@" && ${ssh.map((word) => `'${word}'`).join(' ')} 'sv restart bare >/dev/null; ${answers('/run/bare.sock')}'`
    const bareCommand = ['sh', '-c', bare, 'sh', ...send]
    const times = { bare: [], deploy: [], whole: [], rollback: [] }
    const ids = []
    for (let run = 0; run < runs; run++) {
      change(`bare ${run}`)
      times.bare.push((await time(bareCommand, { cwd: outside, env, signal })).milliseconds)
      change(`deploy ${run}`)
      const { served, ended } = await untilServed([...kraft, `deploy:${far}`], `deploy ${run}`)
      times.deploy.push(served)
      times.whole.push(ended)
      ids.push(await current())
    }
    // Between two that stay.
    for (let run = 0; run < runs; run++) {
      const back = run % 2 === 0
      const command = [...kraft, `rollback:${far}`, ids.at(back ? -2 : -1)]
      times.rollback.push((await untilServed(command, `deploy ${runs - (back ? 2 : 1)}`)).served)
    }
    // As a person has it, whose earlier command left its connection open; env is that of a job of CI.
    const { CI: _, ...person } = env
    const kept = { deploy: [], rollback: [] }
    await time([...kraft, `run:${far}`, '--', 'true'], { cwd: outside, env: person, signal })
    for (let run = 0; run < runs; run++) {
      change(`kept ${run}`)
      kept.deploy.push((await untilServed([...kraft, `deploy:${far}`], `kept ${run}`, person)).served)
      ids.push(await current())
    }
    for (let run = 0; run < runs; run++) {
      const back = run % 2 === 0
      const command = [...kraft, `rollback:${far}`, ids.at(back ? -2 : -1)]
      kept.rollback.push((await untilServed(command, `kept ${runs - (back ? 2 : 1)}`, person)).served)
    }
    await time([...kraft, 'disconnect'], { cwd: outside, env: person, signal })
    const turns = async (command, cwd) => {
      cable.turns()
      await time(command, { cwd, env, signal })
      return cable.turns()
    }
    // One of them is the command itself.
    const connecting = (await turns([...ssh, 'true'], outside)) - 1
    const same = await turns([...kraft, `deploy:${far}`], project)
    row({ what: "the application's own start", ...spread(starts) })
    row({ what: 'rsync, restart over ssh, wait for its answer, 51 ms away', ...spread(times.bare) })
    row({ what: 'a deploy of one changed file until visitors get it, 51 ms away', ...spread(times.deploy), aim: 2000 + own })
    row({ what: 'the same until the old processes are gone', ...spread(times.whole) })
    row({ what: 'a rollback until visitors get it, 51 ms away', ...spread(times.rollback), aim: 1000 + own })
    row({ what: 'a deploy over a kept connection until visitors get it', ...spread(kept.deploy), aim: 2000 + own })
    row({ what: 'a rollback over a kept connection until visitors get it', ...spread(kept.rollback), aim: 1000 + own })
    row({
      what: `round trips of a deploy where nothing changed, beyond ${connecting} to connect and log in`,
      count: same - connecting,
      mostCount: 5,
      runs: 1,
    })
    await onNode('rm -f /etc/service/bare; sleep 6; rm -rf /etc/sv/bare')
  } finally {
    await cable.stop()
  }
}
