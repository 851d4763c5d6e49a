import { KraftError } from '../engine/errors/failure.js'
import { didYouMean } from '../engine/errors/nearest.js'
import type { Node } from '../engine/node/node.js'
import { lockNode } from '../engine/node/node-lock.js'
import type { Item } from '../engine/report/report.js'
import type { Step } from '../engine/step/step.js'
import { eachNode } from '../engine/task/each-node.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { task } from '../engine/task/task.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { releaseNodes, runsProcesses, serves } from '../recipes/followers.js'
import { scaleProcess } from '../recipes/processes.js'
import { type Counts, parseCounts, readCounts, rememberCounts } from '../recipes/scale.js'
import { columns } from './columns.js'
import { currentRelease } from './current-release.js'
import { whoAmI } from './rollout/switch.js'

/** Changes how many copies of processes and how many web workers run, and remembers it on the nodes. */
export const scale = task({
  on: 'once',
  connection: 'alone',
  needs: 'instance',
  group: 'Deploy',
  help: 'run more or fewer copies of a process or web workers\nFrom now on. Without COUNTS it shows how many.',
  changes:
    'how many copies of a process run, kept there until --reset; for other web workers the web starts anew, as reload does',
  examples: ['kraft scale:live worker=3', 'kraft scale:live web=4', 'kraft scale:live --reset', 'kraft scale:live'],
  options: {
    counts: option({ type: 'string', positional: true, many: true, help: 'NAME=COUNT on each node; web means its workers' }),
    reset: option({ type: 'boolean', help: 'what kraftwerk.yaml says, for all of them' }),
  },
  async run({ target, session, line, options, call }) {
    const instance = requireInstance(target)
    const nodes = releaseNodes(instance, target.nodes)
    const asked = parse(instance, options.counts, nodes)
    const before = new Map<Node, Counts>()
    await eachNode(session, nodes, line, async (node) => {
      await currentRelease(node, instance)
      before.set(node, parseCounts(await node.read(readCounts(instance).text)))
    })
    if (Object.keys(asked).length === 0 && !options.reset) return shown(instance, nodes, (node) => before.get(node) ?? {})
    if (options.reset && Object.keys(asked).length > 0) {
      throw new KraftError({ kind: 'usage', message: '--reset is for all counts at once', next: 'Leave it out, or the counts' })
    }

    const wanted = (node: Node): Counts => (options.reset ? {} : { ...before.get(node), ...asked })
    const remember = (counts: (node: Node) => Counts) => (node: Node) =>
      rememberCounts(instance, namesOn(instance, node), counts(node))
    const processes = Object.keys(options.reset ? instance.settings.processes : asked).filter((name) => name !== 'web')
    const steps = (node: Node): readonly Step[] => [
      ...remember(wanted)(node),
      ...(runsProcesses(instance, node) ? processes.flatMap((name) => stepsOf(instance, name)) : []),
    ]
    await withLocks(session, instance, nodes, (locks) => line.list([locks, onEach(session, nodes, 'Scale', steps)]))
    const newWeb = (node: Node) => serves(node) && wanted(node).web !== before.get(node)?.web
    if (nodes.some(newWeb)) {
      try {
        await call(await session.task('reload'))
      } catch (error) {
        // What can't start must not be what the next deploy starts.
        const former = remember((node) => ({ ...wanted(node), web: before.get(node)?.web }))
        await line.list([onEach(session, nodes, 'Remember the former number of web workers', former)])
        throw error
      }
    }
    return shown(instance, nodes, wanted, session.flags.dryRun ? 'would be' : undefined)
  },
})

function stepsOf(instance: Instance, name: string): readonly Step[] {
  const { processes, timeout } = instance.settings
  const setting = processes[name]
  return setting === undefined ? [] : scaleProcess(instance, name, setting, timeout)
}

/** What can be scaled on a node. */
function namesOn(instance: Instance, node: Node): readonly string[] {
  return [...(serves(node) ? ['web'] : []), ...(runsProcesses(instance, node) ? Object.keys(instance.settings.processes) : [])]
}

function declared({ settings }: Instance, name: string): number {
  return name === 'web' ? settings.workers : (settings.processes[name]?.count ?? 0)
}

function parse(instance: Instance, words: readonly string[], nodes: readonly Node[]): Counts {
  const known = [...new Set(nodes.flatMap((node) => namesOn(instance, node)))]
  return Object.fromEntries(
    words.map((text) => {
      const [, name = text, count] = text.match(/^([^=]*)=?(.*)$/) ?? []
      if (!known.includes(name)) {
        throw new KraftError({
          kind: 'usage',
          message: `There is no process "${name}" here.${didYouMean(name, known)}`,
          next: `It has ${known.join(', ')}; others are added to processes: in kraftwerk.yaml`,
        })
      }
      const least = name === 'web' ? 1 : 0
      if (/^\d{1,4}$/.test(count ?? '') && Number(count) >= least && Number(count) <= 64) return [name, Number(count)]
      throw new KraftError({
        kind: 'usage',
        message: `"${text}" should be ${name}=COUNT, with a count from ${least} to 64`,
        next: `For example: kraft scale:TARGET ${name}=2`,
      })
    }),
  )
}

async function withLocks(
  session: Session,
  { name }: Instance,
  nodes: readonly Node[],
  run: (locks: Item) => Promise<void>,
): Promise<void> {
  const held: (() => Promise<void>)[] = []
  const locks: Item = {
    title: 'Lock',
    async run(line) {
      if (session.flags.dryRun) return line.skip('a dry run changes nothing')
      for (const node of [...nodes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const { release } = await lockNode(node, name, whoAmI())
        held.push(release)
        session.onEnd(release)
      }
    },
  }
  try {
    await run(locks)
  } finally {
    for (const release of held) await release()
  }
}

function onEach(session: Session, nodes: readonly Node[], title: string, steps: (node: Node) => readonly Step[]): Item {
  return {
    title,
    run: async (line) => {
      await eachNode(session, nodes, line, (node, own) => node.apply(title, steps(node), own))
    },
  }
}

function shown(instance: Instance, nodes: readonly Node[], countsOn: (node: Node) => Counts, would?: string): Result {
  const rows = nodes.flatMap((node) => {
    const counts = countsOn(node)
    return namesOn(instance, node).map((name) => {
      const yaml = declared(instance, name)
      return { node: node.name, process: name, count: counts[name] ?? yaml, declared: yaml, scaled: counts[name] !== undefined }
    })
  })
  const table = columns([
    ['NODE', 'PROCESS', would === undefined ? 'COUNT' : 'WOULD BE', 'KRAFTWERK.YAML'],
    ...rows.map((row) => [row.node, row.process, String(row.count), row.scaled ? String(row.declared) : '']),
  ])
  return new Result(table, rows)
}
