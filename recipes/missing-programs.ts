import type { Node } from '../engine/node/node.js'
import type { Instance } from '../project/instance.js'
import { runsCron, runsProcesses, serves } from './followers.js'
import type { Program, Programs } from './ps.js'

/** What kraftwerk.yaml asks for and the node does not have: it was not deployed yet. */
export function withMissing(instance: Instance, node: Node, found: Programs): Programs {
  const { processes, cron } = instance.settings
  const wanted: readonly Program[] = [
    ...(serves(node) ? [{ kind: 'web' as const, name: 'web', state: 'missing' }] : []),
    ...(runsProcesses(instance, node)
      ? Object.entries(processes).flatMap(([name, { count }]) =>
          Array.from({ length: found.scaled[name] ?? count }, (_, index) => ({
            kind: 'process' as const,
            name: `${name}.${index + 1}`,
            state: 'missing',
          })),
        )
      : []),
    ...(runsCron(instance, node) ? Object.keys(cron).map((name) => ({ kind: 'cron' as const, name, state: 'missing' })) : []),
  ]
  const missing = wanted.filter(({ kind, name }) => !found.programs.some((each) => each.kind === kind && each.name === name))
  return { ...found, programs: [...found.programs, ...missing] }
}
