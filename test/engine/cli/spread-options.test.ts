import { chmod, copyFile, mkdtemp, readdir, readFile, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { stringify } from 'yaml'
import { failure, kraft, writeFiles } from '../../rig/cli.js'
import type { Ran } from '../../rig/kraft.js'
import { type Sshd, startSshd } from '../../rig/sshd.js'

// Real sshd, the built kraft, and a kraftfile: six names for one server, and one where nobody answers.
const kraftfile = `
import { inBatches, option, result, series, sh, task } from 'kraftwerk'

/** Says the name of each node that answers. */
export const hello = task({
  on: 'each',
  options: { broken: option({ type: 'string', many: true }) },
  async run({ node, facts, options }) {
    if (facts.cpus === 0 || options.broken.includes(node.name)) await node.$\`echo broken; exit 7\`
    return result(\`hello \${node.name}\`, { name: node.name })
  },
})
/** Works on all together. */
export const together = task({ on: 'once', run: ({ target }) => result(target.nodes.map(({ name }) => name).join(' ')) })
/** Works on all together, in steps. */
export const apart = task({
  on: 'once',
  options: { broken: option({ type: 'string', many: true }) },
  run: ({ target, line, options }) => line.list(
    target.nodes.map((node) => ({
      title: node.name,
      run: (own) => node.apply('Steps', [{ title: 'Step', apply: options.broken.includes(node.name) ? sh\`exit 7\` : sh\`:\` }], own),
    })),
    { concurrent: true },
  ),
})
/** Works on all together, or part after part. */
export const roll = task({
  on: 'once',
  rolling: true,
  options: { broken: option({ type: 'string', many: true }) },
  async run({ session, target, line, options }) {
    const parts = []
    await inBatches(session, target.nodes, line, async (batch, own) => {
      parts.push(batch.map(({ name }) => name).join('+'))
      await own.list(batch.map((node) => ({
        title: node.name,
        run: async () => { if (options.broken.includes(node.name)) await node.$\`exit 7\` },
      })))
    })
    return result(parts.join(' '))
  },
})
export const both = series('Both', together, hello)
export const failing = series('Fails', hello, task({ on: 'once', run: () => { throw new Error('broken') } }))
`

// Each call is a process of its own, and some tests make seven.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let sshd: Sshd
let home: string
let shop: string
beforeAll(async () => {
  sshd = await startSshd(['MaxStartups 100'])
  home = await realpath(await mkdtemp(join(tmpdir(), 'kraft-spread-')))
  shop = join(home, 'shop')
  const { name: _name, ...record } = sshd.record
  const names = ['web1', 'web2', 'web3', 'db1', 'db2', 'gone']
  const nodes = names.map((name) => [name, { ...record, ...(name === 'gone' ? { port: 1 } : {}), provider: 'local' }])
  await writeFiles(home, {
    '.kraftwerk/nodes.yaml': stringify(Object.fromEntries(nodes)),
    'shop/kraftfile.ts': kraftfile,
    'shop/kraftwerk.yaml': stringify({
      wsgi: 'shop.wsgi:application',
      environments: { live: { nodes: names.slice(0, 5) }, stage: { name: 'shop-stage', nodes: ['web1', 'gone'] } },
    }),
  })
  await copyFile(sshd.identity, join(home, '.kraftwerk', 'id_ed25519'))
  await chmod(shop, 0o755)
})
afterAll(async () => {
  await sshd.stop()
  await rm(home, { recursive: true, force: true })
})
beforeEach(() => rm(join(home, '.kraftwerk/last-run'), { recursive: true, force: true }))

const run = (line: string): Promise<Ran> => kraft(line.split(' '), { cwd: shop, env: { HOME: home, XDG_CACHE_HOME: '' } })
const greeted = ({ stdout }: Ran) =>
  stdout
    .trim()
    .split('\n')
    .filter((each) => each !== '')
    .map((each) => each.split(':')[0])

describe('--limit', () => {
  it('takes names and patterns, and the rest does not run', async () => {
    expect(greeted(await run('hello:live --limit web1,db*'))).toEqual(['web1', 'db1', 'db2'])
    expect(greeted(await run('hello:live --limit web? --limit db1'))).toEqual(['web1', 'web2', 'web3', 'db1'])
    expect((await run('together:live --limit db2')).stdout).toBe('db2\n')
  })

  it('of a name that fits nothing is refused, with the nearest', async () => {
    const ran = await run('hello:live --limit wbe1')
    expect(ran.code).toBe(2)
    expect(failure(ran.stderr)).toContain('--limit "wbe1" fits no node of live. Did you mean "web1"?')
  })
})

describe('a node that fails', () => {
  it('does not stop the others, whose results and ends are told', async () => {
    const ran = await run('hello:live --broken web2')
    expect(ran.code).toBe(1)
    expect(greeted(ran)).toEqual(['web1', 'web3', 'db1', 'db2'])
    expect(ran.stderr).toMatch(/^ok +web1, web3, db1, db2$/m)
    expect(ran.stderr).toMatch(/^failed +web2$/m)
  })

  it('stops those that have not begun where that is asked for', async () => {
    const ran = await run('hello:live --broken web2 --parallel 1 --on-failure stop')
    expect(greeted(ran)).toEqual(['web1'])
    expect(ran.stderr).toMatch(/^not run +web3, db1, db2$/m)
  })

  it('stops the next batch', async () => {
    const ran = await run('hello:live --broken web2 --batch 40%')
    expect(greeted(ran)).toEqual(['web1'])
    expect(ran.stderr).toContain('1 of 5 failed: web2; done: web1; not run: web3, db1, db2')
    expect(greeted(await run('hello:live --broken web2 --batch 2 --on-failure continue'))).toHaveLength(4)
  })

  it('because nobody answers is told apart, and the code says which it was', async () => {
    const ran = await run('hello:stage')
    expect(ran.stderr).toMatch(/^unreachable +gone$/m)
    expect([ran.code, greeted(ran)]).toEqual([3, ['web1']])
    expect((await run('hello:stage --broken web1')).code).toBe(1)
  })
})

describe('a task that works on all nodes together', () => {
  it('says which nodes ended how where it fails', async () => {
    const ran = await run('apart:live --broken web2')
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(/^changed +web1 \(1\), web3 \(1\), db1 \(1\), db2 \(1\)\nfailed +web2$/m)
  })

  it('says nothing of nodes where nothing was known to happen', async () => {
    expect((await run('failing:stage --limit web1')).stderr).not.toMatch(/^not run/m)
  })

  it('and can roll takes batches, one of which stops the next', async () => {
    expect((await run('roll:live --batch 40%')).stdout).toBe('web1+web2 web3+db1 db2\n')
    expect((await run('roll:live')).stdout).toBe('web1+web2+web3+db1+db2\n')
    const ran = await run('roll:live --batch 2 --broken db1')
    expect([ran.code, ran.stdout]).toEqual([1, ''])
    expect(ran.stderr).toContain('1 of 3 failed: web3, db1; done: web1, web2; not run: db2')
    expect(ran.stderr).toMatch(/^ok +web1, web2\nfailed +web3, db1\nnot run +db2$/m)
    expect((await run('roll:live --retry-failed --batch 1')).stdout).toBe('web3 db1 db2\n')
  })
})

describe('programs', () => {
  it('get each node with its end and its data as one document, also where some fail', async () => {
    const fine = JSON.parse((await run('hello:live --limit web1,web2 --json')).stdout)
    expect(fine).toEqual(['web1', 'web2'].map((name) => ({ node: name, status: 'ok', changed: 0, data: { name } })))
    const ran = await run('hello:stage --json')
    expect(JSON.parse(ran.stdout)).toEqual([
      {
        target: 'stage',
        data: [
          { node: 'web1', status: 'ok', changed: 0, data: { name: 'web1' } },
          { node: 'gone', status: 'unreachable', changed: 0, data: null },
        ],
      },
    ])
  })

  it('get the ends of the nodes as the last event', async () => {
    const { stderr } = await run('hello:live --limit web* --events')
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '')).toEqual({
      event: 'nodes',
      nodes: ['web1', 'web2', 'web3'].map((node) => ({ node, status: 'ok', changed: 0 })),
    })
  })
})

describe('--retry-failed', () => {
  it('runs where the last run failed, until nothing is left', async () => {
    expect((await run('hello:live --broken web2 --broken db1')).code).toBe(1)
    // A run of something else, of another target or a dry run is not the last run of this.
    await run('together:live')
    await run('hello:stage')
    await run('hello:live --dry-run')
    expect(greeted(await run('hello:live --retry-failed --broken db1 --json'))).not.toEqual([])
    const again = await run('hello:live --retry-failed')
    expect([again.code, again.stdout]).toEqual([0, 'hello db1\n'])
    const none = await run('hello:live --retry-failed')
    expect([none.code, none.stdout]).toEqual([0, ''])
    expect(none.stderr).toContain('hello failed nowhere when it ran last')
  })

  it('takes in what did not run because a batch failed', async () => {
    await run('hello:live --broken web1 --batch 1')
    expect(greeted(await run('hello:live --retry-failed'))).toEqual(['web1', 'web2', 'web3', 'db1', 'db2'])
  })

  it('forgets nothing of nodes that a limited run left out', async () => {
    await run('hello:live --broken web2 --broken db1')
    await run('hello:live --limit web2')
    expect((await run('hello:live --retry-failed')).stdout).toBe('hello db1\n')
  })

  it('of a series means all nodes: its later members ran nowhere', async () => {
    await run('failing:live')
    expect((await run('failing:live --retry-failed')).stderr).toMatch(/web1, web2, web3, db1, db2/)
  })

  it('without a run is refused', async () => {
    const ran = await run('hello:live --retry-failed')
    expect([ran.code, failure(ran.stderr)]).toEqual([2, expect.stringContaining('hello has not run there yet')])
  })

  it('keeps what it needs to itself', async () => {
    await run('hello:live --limit web1')
    const folder = join(home, '.kraftwerk/last-run')
    const [name = '', ...others] = await readdir(folder)
    expect([others, (await stat(folder)).mode & 0o777, (await stat(join(folder, name))).mode & 0o777]).toEqual([[], 0o700, 0o600])
    expect(JSON.parse(await readFile(join(folder, name), 'utf8'))).toMatchObject({
      folder: shop,
      task: 'hello',
      target: 'live',
      failed: [],
    })
  })
})

it('what works on all nodes together takes no batches, alone or in a series', async () => {
  for (const task of ['together', 'both']) {
    const ran = await run(`${task}:live --batch 1`)
    expect(ran.code).toBe(2)
    expect(failure(ran.stderr)).toContain(`${task} takes no --batch`)
  }
})

it.each([
  ['hello:live --parallel 0', '--parallel is a whole number of nodes from 1 up'],
  ['hello:live --batch 0', '--batch is a number of nodes or a percentage'],
  ['hello:live --batch 101%', '--batch is a number of nodes or a percentage'],
  ['hello:live --on-failure ignore', '--on-failure is one of continue, stop'],
  ['nodes --limit web1', 'nodes runs on no node, so --limit means nothing to it'],
])('%s is refused', async (line, message) => {
  const ran = await run(line)
  expect([ran.code, failure(ran.stderr)]).toEqual([2, expect.stringContaining(message)])
})

it('a command whose own code is passed on is never retried', async () => {
  const ran = await run('run:live --retry-failed -- true')
  expect([ran.code, failure(ran.stderr)]).toEqual([255, expect.stringContaining('there is nothing to retry')])
})

it('a series shows what each of its members handed back, by name', async () => {
  const ran = await run('both:live --limit web1,web2')
  expect(ran.stdout).toBe('together:\n  web1 web2\nhello:\n  web1: hello web1\n  web2: hello web2\n')
  expect(JSON.parse((await run('both:live --limit web1 --json')).stdout)).toEqual({ together: 'web1', hello: { name: 'web1' } })
})
