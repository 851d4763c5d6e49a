import { describe, expect, it } from 'vitest'
import { listTasks, printHelp } from '../../../engine/cli/help.js'
import { printList } from '../../../engine/cli/print-list.js'
import { createRegistry, findTask } from '../../../engine/cli/registry.js'
import { option } from '../../../engine/task/option.js'
import { task } from '../../../engine/task/task.js'
import { failureOf } from '../../rig/failure.js'

const idle = () => undefined
const deploy = task({ on: 'once', group: 'Deploy', help: 'put it there', examples: ['kraft deploy:stage'], run: idle })
const nodes = task({ on: 'once', needs: 'nothing', group: 'Nodes', meantBy: ['servers'], help: 'list them', run: idle })
const mine = task({
  options: {
    area: option({ type: 'string', positional: true, choices: ['home', 'shop'], required: true, help: 'which pages' }),
    toDate: option({ type: 'number', positional: true }),
    hours: option({ type: 'number', default: 24, help: 'keep younger ones' }),
    onlyOld: option({ type: 'string', many: true }),
    dropOld: option({ type: 'boolean', help: 'drop them' }),
  },
  run: idle,
})
const custom = {
  file: '/site/kraftfile.ts',
  exports: { deploy: mine, clearCache: mine, quick: deploy.with({}), helper: idle, version: 3 },
  docs: { clearCache: 'Drop old cached pages.\nMore of it.' },
  declared: { clearCache: { file: '/site/kraftfile.ts', line: 3 } },
}

describe('the tasks', () => {
  const registry = createRegistry({ deploy, nodes, someThing: 3 }, custom)

  it('of a kraftfile come after the built-in ones and replace those of their name', () => {
    expect([...registry.tasks.keys()]).toEqual(['deploy', 'nodes', 'clear-cache', 'quick'])
    expect(findTask(registry, 'deploy').task).toBe(mine)
    expect(findTask(registry, 'clear-cache')).toMatchObject({
      custom: true,
      place: { line: 3 },
      doc: expect.stringContaining('Drop'),
    })
  })

  it('are known for what they are, also those that were replaced or passed on', () => {
    expect(registry.about(deploy)).toMatchObject({ name: 'deploy', custom: false })
    expect(registry.about(deploy.with({}))).toMatchObject({ custom: false })
    expect(registry.about(mine)).toMatchObject({ custom: true })
    expect(registry.about(task({ run: idle }))).toEqual({ name: undefined, custom: true })
    expect(createRegistry({ deploy }).about(task({ run: idle })).custom).toBe(false)
  })

  it('that are misspelt bring up the nearest', async () => {
    const find = (name: string) => failureOf((async () => findTask(registry, name))())
    expect((await find('delpoy')).said).toBe('There is no task "delpoy". Did you mean "deploy"?')
    expect((await find('constructor')).said).toBe('There is no task "constructor".')
    const next = { said: 'There is no task "servers". Did you mean "nodes"?', next: 'See: kraft help nodes' }
    expect(await find('servers')).toMatchObject(next)
  })

  it('cannot take the name of an option that all tasks have', async () => {
    const bad = { on: 'once', options: { dryRun: option({ type: 'boolean' }) }, run: idle } as const
    const exports = { clearCache: task(bad) }
    const told = await failureOf((async () => createRegistry({}, { ...custom, exports }))())
    expect(told).toMatchObject({
      kind: 'setting',
      said: '/site/kraftfile.ts:3: clearCache cannot have an option "dryRun": every task has --dry-run',
    })
  })

  it('are listed in groups, cut to the width of the terminal', () => {
    const list = listTasks(registry)
    expect(list.map(({ name, help, group }) => [name, help, group])).toEqual([
      ['nodes', 'list them', 'Nodes'],
      ['deploy', '', 'From your kraftfile'],
      ['clear-cache', 'Drop old cached pages.', 'From your kraftfile'],
      ['quick', 'put it there', 'From your kraftfile'],
    ])
    const text = printList(list, 30)
    expect(text).toContain('\nNodes\n  nodes        list them\n')
    expect(text).toContain('  clear-cache  Drop old cache…\n')
    expect(
      Math.max(
        ...text
          .split('\n')
          .slice(1, -2)
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(30)
  })
})

describe('help of a task', () => {
  const registry = createRegistry({ deploy, nodes }, custom)
  const lines = (name: string) => printHelp(findTask(registry, name)).split('\n')

  it('shows how it is typed, what it says of itself, and each argument and option', () => {
    const text = lines('clear-cache')
    expect(text[0]).toBe('kraft clear-cache:TARGET AREA [TO-DATE] [--options]')
    expect(text).toEqual(
      expect.arrayContaining(['Drop old cached pages.', 'More of it.', 'Arguments', 'Options', 'Options of every task']),
    )
    expect(text).toContain('  AREA     which pages (one of home, shop)')
    expect(text).toContain('  --hours N            keep younger ones (default: 24)')
    expect(text).toContain('  --only-old ONLY-OLD  (can be repeated)')
    expect(text).toContain('  --drop-old           drop them')
    expect(text).toContain('      --dry-run       print what would change, and change nothing')
  })

  it('names only those options of nodes that mean something to the task', () => {
    const each = task({ on: 'each', run: idle })
    const raw = task({ on: 'once', raw: true, run: idle })
    const aimed = task({ on: 'once', independent: true, options: { from: option({ type: 'string', target: true }) }, run: idle })
    const own = createRegistry({ each, raw, aimed, deploy, nodes })
    const named = (name: string) =>
      ['limit', 'parallel', 'batch', 'retry-failed', 'wait'].filter((key) =>
        printHelp(findTask(own, name)).includes(`  --${key} `),
      )
    expect(named('each')).toEqual(['limit', 'parallel', 'batch', 'retry-failed', 'wait'])
    expect(named('raw')).toEqual(['limit', 'parallel', 'wait'])
    expect(named('aimed')).toEqual(['parallel', 'batch', 'wait'])
    expect(named('deploy')).toEqual(['limit', 'parallel', 'retry-failed', 'wait'])
    expect(named('nodes')).toEqual([])
  })

  it('shows what stands behind the colon, and examples', () => {
    expect(lines('nodes')[0]).toBe('kraft nodes [--options]')
    expect(lines('quick')).toEqual(expect.arrayContaining(['put it there', 'Examples', '  kraft deploy:stage']))
  })
})
