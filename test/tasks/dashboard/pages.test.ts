import { expect, it } from 'vitest'
import { History } from '../../../tasks/dashboard/history.js'
import { chart } from '../../../tasks/dashboard/pages/chart.js'
import { pageAt } from '../../../tasks/dashboard/site.js'
import type { Views } from '../../../tasks/dashboard/watch.js'
import { instance, node, views } from './views.js'

/** What a page shows, without its tags. */
async function textAt(path: string, of: Views = views): Promise<string> {
  return (await htmlAt(path, of)).replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
}

async function htmlAt(path: string, of: Views): Promise<string> {
  const page = pageAt(path, of)
  if (page === undefined) throw new Error(`There is no page ${path}`)
  return `${await page.live}${(await page.still) ?? ''}`
}

const [live] = views.environments

it('the first page says how nodes and environments are', async () => {
  const text = await textAt('/')
  expect(text).toContain('Nothing that was looked at needs a hand')
  expect(text).toContain('live shop.example.com one release 20261128-100000 site 200 in 12 ms 1 of 1 program run')
  expect(text).toContain(
    'one up local, 10.0.0.1 disk / 40% 40% of 9.5 GiB memory 50% 50% of 1.9 GiB load 0.10 0.20 0.30 on 2 CPUs',
  )
})

it('what needs a hand comes first, with what to do, whosever it is', async () => {
  const attention = [{ what: 'worker.1 does not run', next: 'kraft restart:live' }]
  const text = await textAt('/', {
    nodes: [node, { ...node, name: 'two', isReached: false, problem: { what: 'no answer', next: 'Start it' } }],
    environments: live === undefined ? [] : [{ ...live, nodes: [{ ...instance, attention }], isMixed: true }],
    problems: [{ what: 'stage names a node that is not remembered', next: 'kraft provision three' }],
  })
  expect(text).toMatch(
    /^ ?Needs a hand kraftwerk.yaml : stage names .* two : no answer Start it live : The nodes serve different releases .* live on one : worker.1 does not run kraft restart:live/,
  )
  expect(text).toContain('two not reached')
})

it('before anything is known it says that it looks', async () => {
  const unknown = { ...node, isReached: undefined, measures: undefined, machine: undefined, residents: [] }
  const fresh = { ...instance, known: undefined }
  const of = { nodes: [unknown], environments: live === undefined ? [] : [{ ...live, nodes: [fresh] }], problems: [] }
  expect(await textAt('/', of)).toMatch(/one looking .* one looking local/)
  expect(await textAt('/nodes/one', of)).toContain('looking')
  expect(await textAt('/environments/live', of)).toContain('looking')
})

it('an environment has its releases, programs, services, certificate and backups', async () => {
  const backup = { id: '20261128-033000', time: '2026-11-28T03:30:00Z', size: 5 << 20, release: '20261127-100000' }
  const backups = [{ ...backup, services: ['postgres'], encrypted: true, whole: false }]
  const text = await textAt('/environments/live', { ...views, environments: live === undefined ? [] : [{ ...live, backups }] })
  expect(text).toContain('release 20261128-100000 site 200 in 12 ms certificate 40 more days')
  expect(text).toContain('20261128-100000 ada main 0123456789 2026-11-28 10:00:00 UTC current')
  expect(text).toContain('web run 1:10 min 12 1.0 MiB')
  expect(text).toContain('postgres up 15.8 7.0 MiB 1 connection')
  expect(text).toContain('20261128-033000 2026-11-28 03:30:00 UTC 5.0 MiB 20261127-100000 postgres encrypted, NOT WHOLE in S3')
})

it('a node has what is on it, also of projects of others', async () => {
  const blog = { name: 'blog', project: 'blog', environment: undefined, release: undefined }
  const html = await htmlAt('/nodes/one', { ...views, nodes: [{ ...node, residents: [...node.residents, blog] }] })
  expect(html).toContain('<a href="/environments/live">shop-live</a>')
  expect(html).toMatch(/blog <span class="about">\(blog\)<\/span>/)
})

it('whatever a node or a project says is text', async () => {
  const bad = `"'><img src=x onerror=alert(1)>&`
  const known = instance.known
  const found = {
    site: { rows: [[bad, bad] as const], data: { code: 200, milliseconds: 1, closed: bad }, attention: [] },
    programs: { rows: [], data: [{ kind: 'process', name: bad, state: bad }], attention: [] },
    services: { rows: [], data: [{ name: bad, up: false, error: bad, version: bad, [bad]: bad }], attention: [] },
  }
  const state = {
    current: { id: bad, generation: bad },
    releases: [
      { id: bad, served: true, bad, receipt: { by: bad, revision: bad, commit: bad, at: bad, promoted_from: bad, dirty: true } },
    ],
    rollout: undefined,
    moved: undefined,
    holder: bad,
  }
  const attention = [{ what: bad, next: bad }]
  const history = new History(10)
  history.add({ at: 0, values: { [`disk ${bad}`]: 1 } })
  const disks = node.measures?.disks.map((disk) => ({ ...disk, path: bad })) ?? []
  const of: Views = {
    nodes: [
      {
        ...node,
        provider: bad,
        address: bad,
        isReached: false,
        problem: { what: bad, next: bad },
        ...(node.measures && { measures: { ...node.measures, disks } }),
        machine: { rows: [['system', bad]], data: null, attention },
        residents: [{ name: bad, project: bad, environment: bad, release: bad }],
        history,
      },
      { ...node, name: bad },
    ],
    environments: [
      {
        word: 'live',
        project: bad,
        environment: bad,
        instance: bad,
        domain: bad,
        nodes: [
          { ...instance, node: bad, part: bad, attention, ...(known && { known: { ...known, state, found } }) },
          { ...instance, problem: { what: bad, next: bad } },
        ],
        isMixed: true,
        backups: [{ id: bad, time: bad, size: 1, release: bad, services: [bad], encrypted: true, whole: true }],
        backupProblem: bad,
      },
    ],
    problems: attention,
  }
  for (const path of ['/', '/nodes/one', '/environments/live']) {
    const html = await htmlAt(path, of)
    expect(html).not.toContain('<img')
    expect(html.match(/&quot;&#39;&gt;&lt;img src=x onerror=alert\(1\)&gt;&amp;/g)?.length).toBeGreaterThan(5)
  }
})

it('a chart breaks its line where nothing was measured, and keeps peaks however long it is', async () => {
  const draw = async (samples: readonly [at: number, value: number][]) => {
    const made = samples.map(([at, value]) => ({ at, values: { load: value } }))
    return String(await chart({ title: 'Load', samples: made, value: 'load', format: (value) => value.toFixed(1) }))
  }
  const pathOf = (svg: string) => / d="([^"]*)"/.exec(svg)?.[1] ?? ''
  const line = pathOf(await draw([0, 10, 20, 200, 210].map((second) => [second * 1000, 1])))
  expect(line.replaceAll(/[\d. ]/g, '')).toBe('MLLML')
  const long = await draw(Array.from({ length: 1440 }, (_, index) => [index * 10_000, index === 777 ? 9 : 1]))
  expect(pathOf(long).match(/[ML]/g)).toHaveLength(144)
  expect(pathOf(long).replaceAll(/[^M]/g, '')).toBe('M')
  expect(long).toContain('at most 9.0')
  expect(pathOf(long)).toContain(' 5.5')
  expect(await draw([])).toBe('')
})
