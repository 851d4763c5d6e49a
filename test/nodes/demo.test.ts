import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sh } from '../../engine/shell/sh.js'
import { asRoot } from '../../recipes/providers/local/root.js'
import { removeState, stateFrom } from '../../recipes/providers/local/state.js'

// The demo removes its whole state, so it gets one of its own, with the image and the caches that the other tests keep.
const shared = process.env.KRAFT_TEST_STATE ?? ''
const subnet = process.env.KRAFT_TEST_DEMO_SUBNET ?? '10.78.5'
const state = stateFrom({ KRAFT_LOCAL_STATE: `${shared}-demo`, KRAFT_LOCAL_SUBNET: subnet })
const script = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url))
let home: string

beforeAll(async () => {
  await removeState(state, { caches: true })
  home = await mkdtemp(join(tmpdir(), 'kraftwerk-demo-'))
  await asRoot(
    'Copy the image and the caches',
    sh`
      [ -d ${shared}/images ] || exit 0
      install -d -m 755 ${state.root}
      cp -al ${shared}/images ${state.root}/images
      for each in apt/cache pip/cache; do
        [ ! -d ${shared}/$each ] || { mkdir -p ${state.root}/$each; cp -a ${shared}/$each/. ${state.root}/$each/; }
      done`,
  )
})

afterAll(async () => {
  await removeState(state, { caches: true })
  await rm(home, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly said: string
}

/** Runs the demo as `npm run demo` does, without a terminal; `watch` sees all that was said so far. */
function demo(args: readonly string[] = [], watch?: (said: string, stop: () => void) => void): Promise<Ended> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(KRAFT_|CI$|FORCE_COLOR$|NODE_OPTIONS$|VITEST)/.test(name))
  const env = { ...Object.fromEntries(kept), HOME: home, KRAFT_LOCAL_STATE: state.root, KRAFT_LOCAL_SUBNET: state.subnet }
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
      watch?.(said, () => child.kill('SIGINT'))
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, said }))
  })
}

/** What this machine still has of the demo's node. */
async function remains(): Promise<string> {
  const id = `kraft-${state.subnet
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')}`
  const { stdout } = await asRoot(
    'Look for remains',
    sh`
      ip -o link | grep -o ${`${id}[0-9a-f]*`} || :
      ip route | grep -F ${`${state.subnet}.`} || :
      ls -d /run/netns/${id}* /sys/fs/cgroup/${id}* /sys/fs/cgroup/*/${id}* 2>/dev/null || :
      grep -F ${state.root}/ /proc/mounts || :
      ls -d ${state.root} 2>/dev/null || :
      for each in /proc/[0-9]*; do tr '\0' ' ' <$each/cmdline 2>/dev/null | grep -F ${state.root}/ | grep -vF script= || :; done`,
  )
  return stdout.trim()
}

test('an option that it does not know ends with 2 and its usage', async () => {
  const { code, said } = await demo(['--donw'])
  expect(code).toBe(2)
  expect(said).toContain('Usage: npm run demo')
})

test('it goes from nothing to a site that answers, also after an interruption and a second time, and --down leaves nothing', async () => {
  let stopped = false
  const cut = await demo([], (said, stop) => {
    if (stopped || !said.includes('> Packages')) return
    stopped = true
    stop()
  })
  expect(cut.code, cut.said).toBe(130)
  expect(cut.said).not.toContain('$ kraft deploy:demo')

  const commands = ['provision demo', 'bootstrap:demo', 'deploy:demo', 'run:demo -- manage.py check']
  for (const time of ['first', 'second']) {
    const { code, said } = await demo()
    expect(code, said).toBe(0)
    const shown = [...said.matchAll(/^\$ kraft (.*)$/gm)].map(([, command]) => command)
    expect(shown).toEqual(commands)
    expect(said).toContain('System check identified no issues')
    expect(said).toContain('HTTP 200  <title>Guestbook</title>')
    if (time === 'second') expect(said).toContain('demo: 0 changes')
    const url = /^http:\S+$/m.exec(said)?.[0] ?? ''
    expect(url).toContain(`http://${state.subnet}.`)
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('Guestbook')
  }

  const down = await demo(['--down'])
  expect(down.code, down.said).toBe(0)
  expect(down.said).toContain('$ kraft terminate:demo --yes')
  expect(await remains()).toBe('')
  expect(existsSync(state.root)).toBe(false)
  expect(await readFile(join(home, '.kraftwerk/nodes.yaml'), 'utf8')).not.toContain('demo')

  const again = await demo(['--down'])
  expect(again.code, again.said).toBe(0)
  expect(again.said).toContain('There is no local node called demo')
})
