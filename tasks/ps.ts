import type { Node } from '../engine/node/node.js'
import { duration, size } from '../engine/report/progress-text.js'
import { eachNode } from '../engine/task/each-node.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { type Instance, requireInstance } from '../project/instance.js'
import { releaseNodes } from '../recipes/followers.js'
import { withMissing } from '../recipes/missing-programs.js'
import { howEnded, lookAtPrograms, type Program, type Programs, readPrograms } from '../recipes/ps.js'
import { columns } from './columns.js'

/** Shows what runs of an instance on each node. */
export const ps = task({
  on: 'once',
  independent: true,
  needs: 'instance',
  group: 'Day by day',
  meantBy: ['top', 'processes'],
  help: 'show what runs, since when, with how much memory\nWeb process and workers, processes, cron entries.',
  changes: 'nothing',
  examples: ['kraft ps:live', 'kraft ps:live --json'],
  async run({ target, session, line }) {
    const instance = requireInstance(target)
    const found = await eachNode(session, releaseNodes(instance, target.nodes), line, async (node) =>
      withMissing(instance, node, readPrograms(await node.read(lookAtPrograms(instance).text))),
    )
    const rows = found.flatMap(({ node, value }) => value.programs.map((program) => [node.name, ...cells(program)]))
    const notes = found.flatMap(({ node, value }) => notesOn(instance, node, value))
    const table = columns([['NODE', 'KIND', 'NAME', 'STATE', 'SINCE', 'PID', 'MEMORY', 'ENDED'], ...rows])
    return new Result(
      [table, ...notes].join('\n'),
      found.map(({ node, value }) => ({ node: node.name, ...value })),
    )
  },
})

function cells({ kind, name, state, seconds, pid, memory, restarts, ...end }: Program): readonly string[] {
  const how = howEnded(end)
  const ends = restarts === undefined || restarts === 0 ? '' : `${restarts} ${restarts === 1 ? 'time' : 'times'}, `
  return [
    kind,
    name,
    state,
    seconds === undefined ? '' : duration(seconds),
    pid === undefined ? '' : String(pid),
    memory === undefined ? '' : size(memory),
    how === undefined ? '' : `${ends}${how}`,
  ]
}

function notesOn(instance: Instance, node: Node, { programs, scaled, timezone }: Programs): readonly string[] {
  const { workers, processes } = instance.settings
  const counts = Object.entries(scaled).flatMap(([name, count]) => {
    const declared = name === 'web' ? workers : processes[name]?.count
    const says = declared === undefined ? 'kraftwerk.yaml has none' : `kraftwerk.yaml says ${declared}`
    return count === declared ? [] : [`${node.name}: kraft scale has set ${name} to ${count}, ${says}`]
  })
  const times = programs.some(({ kind }) => kind === 'cron') ? [`${node.name}: cron runs at times of ${timezone}`] : []
  return [...counts, ...times]
}
