import { KraftError } from '../engine/errors/failure.js'
import { didYouMean } from '../engine/errors/nearest.js'
import type { Node } from '../engine/node/node.js'
import type { Item, Line } from '../engine/report/report.js'
import { lines } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { eachNode } from '../engine/task/each-node.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { task } from '../engine/task/task.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { noteInLog } from '../recipes/audit.js'
import { releaseNodes, runsProcesses, serves } from '../recipes/followers.js'
import { scaleProcess } from '../recipes/processes.js'
import { type Counts, parseCounts, readCounts, rememberCounts } from '../recipes/scale.js'
import { sayStopped } from '../recipes/stopped.js'
import { columns } from './columns.js'
import { currentRelease } from './current-release.js'
import { type Begun, begin } from './rollout/begin.js'
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
    if (Object.keys(asked).length === 0 && !options.reset) {
      const now = await readScaled(instance, nodes, session, line)
      return shown(instance, nodes, (node) => now.get(node)?.counts ?? {})
    }
    if (options.reset && Object.keys(asked).length > 0) {
      throw new KraftError({ kind: 'usage', message: '--reset is for all counts at once', next: 'Leave it out, or the counts' })
    }

    const work: Begun = { application: { instance }, nodes, session, locks: new Map(), states: new Map() }
    const processes = Object.keys(options.reset ? instance.settings.processes : asked).filter((name) => name !== 'web')
    const stepsFor = (node: Node, counts: Counts): readonly Step[] => [
      ...rememberCounts(instance, namesOn(instance, node), counts),
      ...(runsProcesses(instance, node) ? processes.flatMap((name) => stepsOf(instance, name)) : []),
      ...noteInLog(instance, { who: whoAmI(), what: 'scale', release: '-', generation: '-', result: 'ok' }),
    ]
    const before = new Map<Node, Scaled>()
    const wanted = (node: Node): Counts => (options.reset ? {} : { ...before.get(node)?.counts, ...asked })
    try {
      await begin(work, line)
      for (const [node, scaled] of await readScaled(instance, nodes, session, line)) before.set(node, scaled)
      await line.list([onEach(session, nodes, 'Scale', (node) => stepsFor(node, wanted(node)))])
    } finally {
      for (const held of work.locks.values()) await held.release()
    }
    const isStopped = nodes.some((node) => before.get(node)?.stopped)
    const newWeb = (node: Node) => serves(node) && wanted(node).web !== before.get(node)?.counts.web
    // What is stopped stays so: it starts with these counts.
    if (nodes.some(newWeb) && !isStopped) {
      try {
        await call(await session.task('reload'))
      } catch (error) {
        // What can't start must not be what the next deploy starts.
        const former = (node: Node) =>
          rememberCounts(instance, namesOn(instance, node), { ...wanted(node), web: before.get(node)?.counts.web })
        await line.list([onEach(session, nodes, 'Remember the former number of web workers', former)])
        throw error
      }
    }
    if (isStopped) line.output(`${instance.name} is stopped: kraft start:${target.word} starts as many`)
    return shown(instance, nodes, wanted, session.flags.dryRun ? 'would be' : undefined)
  },
})

/** What a node has of counts, and whether the instance is stopped there. */
interface Scaled {
  readonly counts: Counts
  readonly stopped: boolean
}

async function readScaled(
  instance: Instance,
  nodes: readonly Node[],
  session: Session,
  line: Line,
): Promise<ReadonlyMap<Node, Scaled>> {
  const look = lines(readCounts(instance), sayStopped(instance))
  const read = await eachNode(session, nodes, line, async (node) => {
    await currentRelease(node, instance)
    return node.read(look.text)
  })
  return new Map(
    read.map(({ node, value }) => [node, { counts: parseCounts(value), stopped: /^stopped$/m.test(value) }] as const),
  )
}

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
