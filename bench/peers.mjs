// One changed file at 51 ms with kraft and with what others use, each as its documentation has it, on the same node in the same turns, while
// visitors ask a hundred times a second.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { overCable } from './cable.mjs'
import { spread, time } from './measure.mjs'
import { call, env, kraft, openssh, outside, root } from './place.mjs'

export const about = 'a deploy with kraft, Fabric, Capistrano and Ansible, under load'
export const needsNode = true

const files = {
  'kraftwerk.yaml': 'name: plain\ndomain: plain.example.com\nwsgi: plain.wsgi:application\nworkers: 2\npackages: []\n',
  'plain/__init__.py': '',
  'plain/wsgi.py': '',
}
const wsgi = (text) => `TEXT = b'${text}'


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [TEXT]
`
const hostOf = (name) => `${name === 'kraft' ? 'plain' : name}.example.com`
const others = ['fabric', 'capistrano', 'ansible']
const gunicorn = '/web/plain/current/.kraft/venv/bin/gunicorn'

// What each of them finds: a site behind nginx, its program under runit in the folder that `current` links to.
const site = (name) => `mkdir -p /srv/${name}/releases/0/plain /etc/sv/${name}
echo "application = lambda environ, start_response: (start_response('200 OK', []), [b'first'])[1]" >/srv/${name}/releases/0/plain/wsgi.py
ln -sfn /srv/${name}/releases/0 /srv/${name}/current
printf '%s\\n' '#!/bin/sh' 'cd /srv/${name}' \\
  'exec ${gunicorn} -w 2 --chdir /srv/${name}/current -b unix:/run/${name}.sock plain.wsgi:application 2>/dev/null' >/etc/sv/${name}/run
chmod 755 /etc/sv/${name}/run; ln -sfn /etc/sv/${name} /etc/service/${name}
printf 'server { listen 80; server_name ${name}.example.com; location / { proxy_pass http://unix:/run/${name}.sock; } }\\n' >/etc/nginx/conf.d/${name}.conf
until curl -sf --unix-socket /run/${name}.sock http://localhost/ >/dev/null; do sleep 0.1; done`

function install() {
  const python = join(outside, 'peers')
  const wanted = ['git', 'rsync', 'capistrano'].filter((name) => spawnSync('dpkg', ['-s', name]).status !== 0)
  const apt = process.getuid?.() === 0 ? ['apt-get'] : ['sudo', '-n', 'apt-get']
  const commands = [
    ...(wanted.length === 0 ? [] : [[...apt, 'install', '-qq', '-y', ...wanted]]),
    ...(existsSync(join(python, 'bin', 'fab')) ? [] : [['python3', '-m', 'venv', python]]),
    [join(python, 'bin', 'pip'), 'install', '--quiet', 'fabric', 'ansible-core'],
  ]
  return { python, commands }
}

/** Asks the sites a hundred times a second over kept connections; `stop` says how many got something else than an answer with 200. */
function visit(address, host) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const seen = { asked: 0, failed: 0, text: '' }
  const open = new Set()
  const timer = setInterval(() => {
    seen.asked += 1
    const one = new Promise((resolve) => {
      const failed = () => {
        seen.failed += 1
        resolve()
      }
      const asked = get({ host: address, path: '/', agent, headers: { host }, timeout: 10_000 }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (piece) => {
          text += piece
        })
        answer.on('error', failed).on('end', () => {
          if (answer.statusCode !== 200) return failed()
          seen.text = text
          resolve()
        })
      })
      asked.on('error', failed).on('timeout', () => asked.destroy())
    }).finally(() => open.delete(one))
    open.add(one)
  }, 10)
  return {
    seen,
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      agent.destroy()
      return seen
    },
  }
}

export async function measure({ runs, signal, row, node }) {
  const project = join(outside, 'plain')
  const change = (text) => writeFileSync(join(project, 'plain', 'wsgi.py'), wsgi(text))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(project, path, '..'), { recursive: true })
    writeFileSync(join(project, path), text)
  }
  change('first')
  const { python, commands } = install()
  for (const command of commands) await time(command, { cwd: outside, env, signal })
  const cable = await overCable(outside, [node], 25.5)
  const ssh = openssh(cable.names[0])
  const onNode = async (script) => (await time([...ssh, script], { cwd: outside, env, signal })).said
  try {
    const [far = ''] = cable.names
    await call([`deploy:${far}`], { cwd: project, signal })
    const nodes = parse(readFileSync(join(outside, '.kraftwerk', 'nodes.yaml'), 'utf8'))
    const { port } = nodes[far]
    const key = join(outside, '.kraftwerk', 'id_ed25519')
    const peer = {
      ...env,
      PATH: `${python}/bin:${env.PATH}`,
      PEER_HOST: '127.0.0.1',
      PEER_PORT: String(port),
      PEER_KEY: key,
      PEER_KNOWN_HOSTS: join(outside, `known_hosts-${far}`),
      PEER_SSH: ssh.slice(0, -1).join(' '),
      PEER_PROJECT: project,
      PEER_ARCHIVE: join(outside, 'ansible.tar.gz'),
    }
    const at = (name) => join(root, 'bench', 'peers', name)
    const common = ssh.slice(1, ssh.indexOf('-i')).join(' ')
    const inventory = ['-i', join(outside, 'inventory'), '-u', 'root', '--private-key', key, '--ssh-common-args', common]
    writeFileSync(join(outside, 'inventory'), `node ansible_host=127.0.0.1 ansible_port=${port}\n`)
    const folders = { kraft: project, fabric: at('fabric'), capistrano: at('capistrano'), ansible: at('ansible') }
    const deploys = {
      kraft: [...kraft, `deploy:${far}`],
      fabric: ['fab', 'deploy'],
      capistrano: ['cap', 'live', 'deploy'],
      ansible: ['ansible-playbook', ...inventory, 'playbook.yml'],
    }
    const push = ['sh', '-c', 'git add -A && git commit -qm change && git push -q origin main', 'sh']
    const git = { ...peer, GIT_SSH_COMMAND: peer.PEER_SSH, GIT_CONFIG_GLOBAL: '/dev/null' }
    await onNode(`command -v rsync >/dev/null && command -v git >/dev/null || apt-get install -qq -y rsync git >/dev/null 2>&1
${others.map(site).join('\n')}
nginx -t -q && nginx -s reload; git init -q --bare -b main /srv/capistrano.git`)
    const repository = 'git init -q -b main && git config user.name bench && git config user.email bench@example.com'
    await time(['sh', '-c', `${repository} && git remote add origin ssh://root@127.0.0.1:${port}/srv/capistrano.git`], {
      cwd: project,
      env: git,
      signal,
    })
    const once = {
      'ssh NODE true': { command: [...ssh, 'true'], cwd: outside },
      'kraft run:NODE -- true': { command: [...kraft, `run:${far}`, '--', 'true'], cwd: outside },
      'fab true': { command: ['fab', 'true'], cwd: at('fabric') },
      'ansible all -m command -a true': {
        command: ['ansible', ...inventory, 'all', '-m', 'command', '-a', 'true'],
        cwd: at('ansible'),
      },
    }
    const times = Object.fromEntries([...Object.keys(deploys), ...Object.keys(once)].map((name) => [name, []]))
    const failed = Object.fromEntries(Object.keys(deploys).map((name) => [name, 0]))
    const asked = { ...failed }
    for (let run = -1; run < runs; run++) {
      for (const [name, command] of Object.entries(deploys)) {
        const text = `${name} ${run}`
        change(text)
        // Capistrano takes what is in the repository; to bring it there is not counted.
        if (name === 'capistrano') await time(push, { cwd: project, env: git, signal })
        const visitors = visit(nodes[node].address, hostOf(name))
        const started = performance.now()
        let served
        const watch = setInterval(() => {
          if (visitors.seen.text === text) served ??= performance.now() - started
        }, 5)
        try {
          await time(command, { cwd: folders[name], env: peer, signal })
          for (let wait = 0; served === undefined && wait < 400; wait++) await sleep(25)
          await sleep(500)
        } finally {
          clearInterval(watch)
          await visitors.stop()
        }
        if (served === undefined) throw new Error(`Nobody gets "${text}"`)
        // The first of each makes folders that the others find.
        if (run < 0) continue
        times[name].push(served)
        failed[name] += visitors.seen.failed
        asked[name] += visitors.seen.asked
      }
      for (const [name, { command, cwd }] of Object.entries(once)) {
        const { milliseconds } = await time(command, { cwd, env: peer, signal })
        if (run >= 0) times[name].push(milliseconds)
      }
    }
    const down = {}
    for (const [name, command] of Object.entries(deploys)) {
      writeFileSync(join(project, 'plain', 'wsgi.py'), "raise RuntimeError('cannot start')\napplication = None\n")
      if (name === 'capistrano') await time(push, { cwd: project, env: git, signal })
      const visitors = visit(nodes[node].address, hostOf(name))
      let ended = 'says that all is well'
      try {
        await time(command, { cwd: folders[name], env: peer, signal })
      } catch (error) {
        signal.throwIfAborted()
        ended = 'refuses it'
        if (!(error instanceof Error)) throw error
      }
      await sleep(5000)
      const { failed, asked } = await visitors.stop()
      down[name] = { failed, asked, ended }
    }
    for (const name of Object.keys(once)) row({ what: `${name}, 51 ms away`, ...spread(times[name]) })
    for (const name of Object.keys(deploys)) {
      row({ what: `one changed file with ${name} until visitors get it, 51 ms away`, ...spread(times[name]) })
      row({ what: `requests that failed of ${asked[name]} during ${runs} deploys with ${name}`, count: failed[name], runs })
      const { failed: lost, asked: all, ended } = down[name]
      row({ what: `the same of ${all} where the release cannot start: ${name} ${ended}`, count: lost, runs: 1 })
    }
  } finally {
    const gone = others.map((name) => `rm -rf /etc/service/${name} /etc/nginx/conf.d/${name}.conf`).join('; ')
    await onNode(`${gone}; nginx -s reload; sleep 6; rm -rf ${others.map((name) => `/etc/sv/${name}`).join(' ')}`)
    await cable.stop()
  }
}
