import { join } from 'node:path'
import type { Query, TargetWord } from '../engine/cli/app.js'
import type { UserSettings } from '../engine/config/user.js'
import { type Inventory, loadInventory } from '../engine/node/inventory.js'
import type { Target } from '../engine/task/context.js'
import { useTemplates } from '../engine/template/find.js'
import { type Known, loadProject, type Project } from './settings.js'
import { resolveTargets } from './target.js'
import { targetWords } from './target-words.js'

/** The project and the admin's settings that hold in a folder, each read when it is first needed. */
export interface ProjectWorkspace {
  readonly project: Project | undefined
  readonly user: UserSettings
  inventory(): Promise<Inventory>
  words(): Promise<readonly TargetWord[]>
  resolve(query: Query): Promise<readonly Target[]>
}

/** Opens the workspace of a folder. Throws `setting` for the first mistake in kraftwerk.yaml or ~/.kraftwerk.yaml. */
export async function openWorkspace(folder: string, known: Known, user: UserSettings): Promise<ProjectWorkspace> {
  const project = await loadProject(folder, known)
  useTemplates([
    ...(project === undefined ? [] : [join(project.folder, 'templates')]),
    ...(user.templates === undefined ? [] : [user.templates]),
  ])
  let loading: Promise<Inventory> | undefined
  // All words behind the colon ask at the same moment, and a fleet may be named node by node; later it may have changed.
  const inventory = () => {
    loading ??= loadInventory(project?.folder).finally(() => {
      loading = undefined
    })
    return loading
  }
  return {
    project,
    user,
    inventory,
    words: async () => targetWords(project, await inventory()),
    resolve: async (query) => {
      const defaultNode = project?.settings.default_node ?? user.default_node
      return resolveTargets(query, { project, inventory: await inventory(), defaultNode })
    },
  }
}
