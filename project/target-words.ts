import type { TargetWord } from '../engine/cli/app.js'
import type { Inventory } from '../engine/node/inventory.js'
import { instanceSettings, type Project } from './settings.js'

/** The words that can stand behind the colon: the environments of the project, and the nodes that are remembered. */
export function targetWords(project: Project | undefined, inventory: Inventory): readonly TargetWord[] {
  const environments = Object.keys(project?.environments ?? {})
  return [
    ...environments.map((word): TargetWord => {
      const nodes = project === undefined ? [] : instanceSettings(project, word).nodes.map(({ name }) => name)
      return { word, kind: 'environment', help: nodes.length === 0 ? 'no nodes yet' : `on ${nodes.join(', ')}` }
    }),
    ...inventory
      .all()
      .filter(({ name }) => !environments.includes(name))
      .map(({ name, address }): TargetWord => ({ word: name, kind: 'node', help: address })),
  ]
}
