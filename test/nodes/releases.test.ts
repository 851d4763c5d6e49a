import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { chapters } from '../rig/chapters.js'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { startConstantLoad, straysAmong } from '../rig/constant-load.js'
import { ask } from '../rig/http.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { soak } from '../rig/soak.js'
import { beginStory, type Story } from '../rig/story-node.js'

const host = 'turn.test'
const files: Files = {
  'kraftwerk.yaml': `name: turn
domain: ${host}
wsgi: turn.wsgi:application
packages: []
keep: 3
drain: 10
environments: { stage: { nodes: [one] } }
`,
  'turn/__init__.py': '',
  'turn/wsgi.py': `import os
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [os.environ['KRAFT_RELEASE'].encode()]
`,
}

const { chapter, essential } = chapters()
let story: Story
let project: string
let address: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'turn')
  await writeFiles(project, files)
  await provisionPrepared(story, ['one'])
  address = await story.address('one')
})
afterAll(() => story?.remove())

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const json = async (...args: string[]) => JSON.parse((await story.must([...args, '--json'], { cwd: project })).stdout)
const served = async () => (await ask(address, { host, path: '/' })).text
const ids = async (): Promise<readonly string[]> => (await json('releases:stage')).one.map(({ id }: { id: string }) => id)
const states = async () =>
  Object.fromEntries((await json('releases:stage')).one.map(({ id, state }: { id: string; state: string }) => [id, state]))
const change = (text: string) => appendFile(join(project, 'turn/wsgi.py'), `# ${text}\n`)

let first: string
let second: string
let third: string
essential('a deploy ends with a receipt: parts, bytes, requests, versions', async () => {
  const receipt = await json('deploy:stage')
  first = receipt.release
  expect(await served()).toBe(first)
  expect(receipt).toMatchObject({
    requests: { failed: 0 },
    versions: { python: expect.stringMatching(/^3\./), gunicorn: expect.any(String) },
  })
  expect(Object.keys(receipt.seconds)).toEqual(expect.arrayContaining(['Release', 'Health check', 'Switch']))
  expect(receipt.sent.one.files).toBe(3)
})

essential('a rollback goes to the last good release, passes over bad ones, and says so', async () => {
  await change('second')
  second = (await json('deploy:stage')).release
  await change('third')
  third = (await json('deploy:stage')).release
  expect(await states()).toEqual({ [first]: 'good', [second]: 'good', [third]: 'current' })

  expect((await story.must(['rollback:stage'], { cwd: project })).stdout).toBe(
    `turn is back at release ${second} (was ${third})\n`,
  )
  expect(await served()).toBe(second)
  expect(await states()).toEqual({ [first]: 'good', [second]: 'current', [third]: 'bad' })
  const again = await json('rollback:stage')
  expect(again).toMatchObject({ release: first, was: { one: second } })
  expect(await served()).toBe(first)

  const { code, stderr } = await kraft('rollback:stage')
  expect(code).toBe(1)
  expect(failure(stderr)).toContain('turn has no good release to go back to')
  expect(failure(stderr)).toContain(`There are ${third} (bad), ${second} (bad)`)
  expect(await served()).toBe(first)
})

chapter('a rollback to a named release takes the mark of a bad one off it', async () => {
  await json('rollback:stage', third)
  expect(await served()).toBe(third)
  expect(await states()).toMatchObject({ [third]: 'current', [first]: 'bad' })
  const unknown = await kraft('rollback:stage', '20200101-000000')
  expect(failure(unknown.stderr)).toContain('turn has no release 20200101-000000 that has served')
  const same = await kraft('rollback:stage', third)
  expect([same.code, failure(same.stderr)]).toEqual([2, expect.stringContaining(`turn serves release ${third} already`)])
})

chapter('a rollback that does not start leaves what serves, and the release that it wanted', async () => {
  // The virtualenv of the others is the same one: only this release's code is broken, on the node.
  await story.onNode('one', `mv /web/turn/releases/${second}/turn/wsgi.py /web/turn/releases/${second}/turn/kept`)
  const { code, stderr } = await kraft('rollback:stage', second)
  expect(code).toBe(1)
  expect(failure(stderr)).toContain('The application does not start.')
  expect(failure(stderr)).toContain('Nothing was switched: turn serves what it served before')
  expect(await served()).toBe(third)
  await story.onNode('one', `mv /web/turn/releases/${second}/turn/kept /web/turn/releases/${second}/turn/wsgi.py`)
  await json('rollback:stage', second)
  expect(await served()).toBe(second)
})

chapter('old releases go, but never the last good one, to which a rollback goes', async () => {
  await json('rollback:stage', third)
  await writeFile(join(project, 'kraftwerk.yaml'), (files['kraftwerk.yaml'] ?? '').replace('keep: 3', 'keep: 2'))
  for (const text of ['fourth', 'fifth']) {
    await change(text)
    await json('deploy:stage')
    expect((await json('rollback:stage')).release).toBe(third)
  }
  // Two newer ones are all that is to stay.
  expect(Object.entries(await states())).toEqual([
    [expect.any(String), 'bad'],
    [expect.any(String), 'bad'],
    [third, 'current'],
  ])
})

// Logs grow with each request, and are rotated by the day.
const size = `
  ps -e -o pid= | wc -l
  du -skx --exclude=/var/log --exclude='/web/*/log' --exclude=/run/log / | cut -f 1
  cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum }'
`
async function measured(): Promise<{ readonly processes: number; readonly disk: number; readonly memory: number }> {
  const [processes = 0, disk = 0, memory = 0] = (await story.onNode('one', size)).trim().split('\n').map(Number)
  return { processes, disk, memory }
}

// A rollback and a reload come after every second deploy here, and after every fifth in the soak: 1,000 deploys and 200 rollbacks.
const { count, write } = soak('deploys', 10)
const every = count > 10 ? 5 : 2
chapter(
  `${count} deploys, ${count / every} rollbacks and as many reloads at 200 requests a second cost none of them, and leave nothing behind`,
  async () => {
    const before = await served()
    const load = startConstantLoad({ address, host, paths: ['/', '/a', '/b'] }, { seconds: 1200 + count * 30 })
    const started = performance.now()
    const deployed: string[] = []
    // What serves at the end of each command, behind what served before.
    const serving = [before]
    const command = async (name: string): Promise<string> => {
      const { release = serving.at(-1) } = await json(`${name}:stage`)
      load.next()
      serving.push(release)
      return release
    }
    let early: Awaited<ReturnType<typeof measured>> | undefined
    for (let round = 1; round <= count; round++) {
      await change(`round ${round}`)
      deployed.push(await command('deploy'))
      if (round % every !== 0) continue
      await command('rollback')
      await command('reload')
      // As many releases are there now as there will ever be.
      if (round >= 6) early ??= await measured()
    }
    const late = await measured()
    const { failures, answered, offered, due, periods, slowest } = await load.stop()
    const strays = straysAmong(periods, serving)
    await write({
      deploys: count,
      rollbacks: count / every,
      reloads: count / every,
      requests: { due, offered, answered, failures, slowest: Math.round(slowest), strays },
      early,
      late,
      seconds: Math.round((performance.now() - started) / 1000),
    })
    expect(failures).toEqual({})
    expect(answered).toBe(offered)
    expect(offered).toBeGreaterThan(due * 0.95)
    expect(strays).toEqual([])
    // A request that hangs shows, however slow this machine is.
    expect(slowest).toBeLessThan(10_000)
    // All of them answered somebody: none was switched past.
    const answering = new Set(periods.flatMap((period) => [...period.keys()]))
    expect(deployed.filter((id) => !answering.has(id))).toEqual([])
    // Nothing of them stays: one generation, one service, two releases and those that are protected.
    expect((await story.onNode('one', 'ls -d /etc/sv/turn.web.* | wc -l; ls /run/web/turn | wc -l')).trim()).toBe('1\n1')
    expect((await ids()).length).toBeLessThanOrEqual(4)
    // A process that looks or is just ending may be counted; kilobytes.
    expect(late.processes).toBeLessThanOrEqual((early?.processes ?? 0) + 2)
    expect(late.disk).toBeLessThan((early?.disk ?? 0) + 2000)
    expect(late.memory).toBeLessThan((early?.memory ?? 0) * 1.2)
  },
  600_000 + count * 30_000,
)

chapter('of two that begin at once one waits for the other, and each has a name of its own', async () => {
  const both = (task: string) => Promise.all([json(task, '--wait', '120'), json(task, '--wait', '120')])
  const releases = (await both('deploy:stage')).map(({ release }) => release).sort()
  expect(new Set(releases).size).toBe(2)
  expect(await served()).toBe(releases.at(-1))
  expect((await ids()).slice(0, 2)).toEqual(releases.toReversed())
  const generations = (await both('reload:stage')).map(({ generation }) => generation)
  expect(new Set([...generations, ...releases]).size).toBe(4)
  expect(await served()).toBe(releases.at(-1))
})

chapter('a page of 12 MB is as healthy as a small one', async () => {
  const large = (files['turn/wsgi.py'] ?? '').replace('.encode()]', ".encode() + b' ' * 12_000_000]")
  await writeFile(join(project, 'turn/wsgi.py'), large)
  const { release } = await json('deploy:stage')
  expect((await served()).trim()).toBe(release)
})

chapter('the log on the node says who did what, and how it ended', async () => {
  await writeFile(join(project, 'turn/wsgi.py'), 'raise RuntimeError("boom")\napplication = None\n')
  expect((await kraft('deploy:stage')).code).toBe(1)
  const log = (await story.onNode('one', 'cat /web/turn/log/kraft')).trim().split('\n')
  expect(log[0]).toMatch(
    new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ \\S+@\\S+ deploy ${first} ok requests=\\d+ failed=0 slowest=`),
  )
  expect(log.some((line) => line.includes(` rollback ${second} `))).toBe(true)
  expect(log.at(-1)).toMatch(/ deploy \d{8}-\d{6} failed$/)
})
