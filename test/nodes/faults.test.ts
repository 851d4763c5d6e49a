import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { type RateReport, startConstantLoad } from '../rig/constant-load.js'
import { mulberry32 } from '../rig/generate-recipe.js'
import { holdersOf } from '../rig/holders.js'
import { ask } from '../rig/http.js'
import { cutNetwork } from '../rig/network-cut.js'
import { cutPower, powerOn } from '../rig/power-cut.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { type Running, startKraft } from '../rig/running.js'
import { soak } from '../rig/soak.js'
import { beginStory, type Story } from '../rig/story-node.js'

// A counted claim: npm test runs a seeded part, `npm run soak -- faults` all of it.
const { count: moments, first: seed, write } = soak('faults', 6)
const phases = soak('phases', 2)

const host = 'fault.test'
const wsgi = (body: string) => `import os
def application(environ, start_response):
    ${body}
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [os.environ['KRAFT_RELEASE'].encode()]
`
const yaml = (more = '') => `name: fault
domain: ${host}
wsgi: fault.wsgi:application
packages: []
drain: 5
health: { path: /, tries: 4, timeout: 1 }
${more}
environments: { stage: { nodes: [one] } }
`
const files: Files = { 'kraftwerk.yaml': yaml('release: sleep 1'), 'fault/__init__.py': '', 'fault/wsgi.py': wsgi('pass') }

let story: Story
let project: string
let address: string
let last: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'fault')
  await writeFiles(project, files)
  await provisionPrepared(story, ['one'])
  address = await story.address('one')
  last = await deployed()
})
afterAll(() => story?.remove())

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const served = async () => (await ask(address, { host, path: '/' })).text
// A script of a kraft that was killed goes on to its end, and with it the lock.
async function deployed(): Promise<string> {
  const { release } = JSON.parse((await story.must(['deploy:stage', '--json', '--wait', '60'], { cwd: project })).stdout)
  expect(await served()).toBe(release)
  return release
}

/**
 * A deploy that is disturbed: the site answers all the time, with the old release or the new one; the next deploy just works. Says
 * what visitors got.
 */
async function disturbed(disturb: () => Promise<unknown>): Promise<RateReport> {
  const load = startConstantLoad({ address, host, paths: ['/'] }, { rate: 50, seconds: 120 })
  await disturb()
  // Whatever goes on there ends.
  await pause(300)
  const between = await served()
  const next = await deployed()
  const report = await load.stop()
  const { failures, answered } = report
  const releases = report.periods.flatMap((period) => [...period.keys()])
  expect([failures, answered > 20]).toEqual([{}, true])
  expect(releases.filter((id) => id < last)).toEqual([])
  expect([last, ...releases]).toContain(between)
  last = next
  return report
}

async function killedWhen(said: string): Promise<void> {
  const running = startKraft(['deploy:stage', '--verbose'], { cwd: project, env: story.env })
  await running.says(said)
  running.child.kill('SIGKILL')
  await running.ended
}

test.each([
  'Check and lock',
  'Upload ',
  'Set up',
  'Release command',
  'Start beside the old',
  'Health check',
  'Switch to',
  'Drain',
])('kraft is killed at "%s"', async (said) => void (await disturbed(() => killedWhen(said))))

async function networkCut(running: Running): Promise<{ readonly code: number | null }> {
  const mend = await cutNetwork(story, 'one')
  try {
    return await running.ended
  } finally {
    await mend()
  }
}

async function networkCutAt(said: string): Promise<void> {
  const running = startKraft(['deploy:stage', '--verbose'], { cwd: project, env: story.env })
  await running.says(said)
  // It may have come to its end just before.
  expect([0, 3]).toContain((await networkCut(running)).code)
}

test.each(['Start beside the old', 'Switch to'])(
  'the network is cut at "%s", and nobody is told',
  async (said) => void (await disturbed(() => networkCutAt(said))),
)

test('deploys in a row log in once, and one whose kept connection is killed disturbs nothing', async () => {
  const logins = () => story.onNode('one', 'journalctl -u ssh -o cat | grep -c "^Accepted publickey"')
  const before = await logins()
  await deployed()
  last = await deployed()
  expect(await logins()).toBe(before)
  await disturbed(async () => {
    const running = startKraft(['deploy:stage', '--verbose'], { cwd: project, env: story.env })
    await running.says('Start beside the old')
    const [holder, ...others] = await holdersOf(story.home)
    expect(others).toEqual([])
    process.kill(Number(holder), 'SIGKILL')
    const { code, stderr } = await running.ended
    expect([code, stderr]).toEqual([3, expect.stringContaining('the connection ended while steps ran')])
  })
})

// Every tenth loses its network instead, which takes long to be noticed.
test(
  `kraft is killed, or its network cut, at ${moments} random moments of a deploy (seed ${seed})`,
  async () => {
    const started = performance.now()
    const random = mulberry32(seed)
    let ended = 0
    let cuts = 0
    const reports: RateReport[] = []
    for (let n = 0; n < moments; n++) {
      const report = await disturbed(async () => {
        const running = startKraft(['deploy:stage'], { cwd: project, env: story.env })
        await pause(300 + random() * 4000)
        const isCut = n % 10 === 5
        if (isCut) cuts += 1
        else running.child.kill('SIGKILL')
        const { code } = await (isCut ? networkCut(running) : running.ended)
        if (code === 0) ended += 1
      })
      reports.push(report)
    }
    const sum = (of: (each: RateReport) => number) => reports.reduce((total, each) => total + of(each), 0)
    await write({
      moments: reports.length,
      kills: reports.length - cuts,
      networkCuts: cuts,
      behindTheEnd: ended,
      requests: {
        offered: sum(({ offered }) => offered),
        answered: sum(({ answered }) => answered),
        failed: sum(({ failures }) => Object.values(failures).reduce((total, each) => total + each, 0)),
      },
      seconds: Math.round((performance.now() - started) / 1000),
    })
  },
  600_000 + moments * 60_000,
)

test('gunicorn is killed while a deploy runs: runit has it back, and the deploy goes through', async () => {
  // Those that serve now: the new ones may be there by the time that they are killed.
  const serving = (await story.onNode('one', 'pgrep -u fault -f gunicorn')).trim().replaceAll('\n', ' ')
  const running = startKraft(['deploy:stage', '--verbose'], { cwd: project, env: story.env })
  await running.says('Release command')
  await story.onNode('one', `kill -KILL ${serving}`)
  expect((await running.ended).code).toBe(0)
  last = await deployed()
})

async function powerCutAt(said: string): Promise<void> {
  const running = startKraft(['deploy:stage', '--verbose'], { cwd: project, env: story.env })
  await running.says(said)
  await cutPower(story, 'one')
  await running.ended
  await powerOn(story, 'one')
  let answer = ''
  for (let n = 0; n < 100 && !/^\d{8}-\d{6}$/.test(answer); n++) {
    answer = await served().catch(() => '')
    await pause(100)
  }
  expect(answer >= last).toBe(true)
  last = await deployed()
}

test.each(['Release command', 'Drain'])(
  'the node loses its power at "%s": it comes back with one release, and the next deploy works',
  powerCutAt,
)

// What kraft itself calls its phases, so that none is forgotten here.
test(
  `${phases.count} of: kraft is killed, the network or the power is cut, at each phase (seed ${phases.first})`,
  async () => {
    const started = performance.now()
    const { stderr } = await story.must(['deploy:stage', '--verbose'], { cwd: project })
    last = await served()
    const named = [...stderr.matchAll(/^ +(?:> |\* (?=Upload ))([A-Z][a-z]*(?: [a-z]+)*)/gm)].map(([, title = '']) => title)
    expect(named).toEqual(expect.arrayContaining(['Check and lock', 'Upload', 'Set up', 'Site', 'Switch', 'Tidy up']))
    const ways = {
      'kraft is killed': (said: string) => disturbed(() => killedWhen(said)),
      'the network is cut': (said: string) => disturbed(() => networkCutAt(said)),
      'the power is cut': powerCutAt,
    }
    const all = named.flatMap((said) => Object.entries(ways).map(([what, way]) => ({ what, said, way })))
    const random = mulberry32(phases.first)
    const tried: string[] = []
    while (tried.length < Math.min(phases.count, named.length * Object.keys(ways).length)) {
      const [next] = all.splice(Math.floor(random() * all.length), 1)
      if (next === undefined) break
      tried.push(`${next.what} at "${next.said}"`)
      await next.way(next.said).catch((error: unknown) => {
        throw new Error(`${tried.at(-1)}: ${String(error)}`, { cause: error })
      })
    }
    await phases.write({ phases: named, tried: tried.length, seconds: Math.round((performance.now() - started) / 1000) })
  },
  600_000 + phases.count * 60_000,
)

test('a full disk, or no inodes, is refused before anything changes; once there is room the same command works', async () => {
  const mount = `cp -a /web /root/kept; mount -t tmpfs -o size=900m,nr_inodes=60000 tmpfs /web; cp -a /root/kept/. /web/`
  await story.onNode('one', mount)
  last = await deployed()
  for (const [full, free] of [
    ['fallocate -l $(($(df --output=avail -B1 /web | tail -n 1) - 200000000)) /web/fill', 'rm /web/fill'],
    [
      'mount -o remount,nr_inodes=$(($(df --output=iused /web | tail -n 1) + 1000)) /web',
      'mount -o remount,nr_inodes=60000 /web',
    ],
  ] as const) {
    await story.onNode('one', full)
    const { code, stderr } = await kraft('deploy:stage')
    expect(code).toBe(1)
    expect(failure(stderr)).toContain('A deploy wants 256 MB and 20,000 inodes free on /web')
    expect(await served()).toBe(last)
    await story.onNode('one', free)
    last = await deployed()
  }
})

test('a disk that fills up in the middle leaves the old release serving', async () => {
  await writeFile(join(project, 'kraftwerk.yaml'), yaml('release: dd if=/dev/zero of="$HOME/fill" bs=1M status=none'))
  const { code, stderr } = await kraft('deploy:stage')
  expect(code).toBe(1)
  expect(failure(stderr)).toContain('No space left on device')
  expect(await served()).toBe(last)
  await story.onNode('one', 'rm -f /web/fault/home/fill')
  await writeFile(join(project, 'kraftwerk.yaml'), yaml())
  last = await deployed()
})

test.each([
  ['answers and then dies', `os.kill(os.getppid(), 9) if os.path.exists('/proc/self') else None`, 'ended by SIGKILL'],
  [
    'dies when it is asked again, after the switch',
    `asked = f"{os.environ['HOME']}/asked-{os.environ['KRAFT_RELEASE']}"
    open(asked, 'a').write('x')
    if os.path.getsize(asked) > 1: os.kill(os.getppid(), 9)`,
    'ended by SIGKILL',
  ],
  ['never answers', `__import__('time').sleep(60)`, 'The application does not answer'],
])('an application that %s is never served for long', async (_what, body, why) => {
  const load = startConstantLoad({ address, host, paths: ['/'] }, { rate: 20, seconds: 120 })
  await writeFile(join(project, 'fault/wsgi.py'), wsgi(body))
  const { code, stderr } = await kraft('deploy:stage')
  expect([code, failure(stderr)]).toEqual([1, expect.stringContaining('fault serves what it served before')])
  expect(failure(stderr)).toContain(why)
  expect(await served()).toBe(last)
  await writeFile(join(project, 'fault/wsgi.py'), wsgi('pass'))
  const next = await deployed()
  const { failures } = await load.stop()
  expect(failures).toEqual({})
  last = next
})
