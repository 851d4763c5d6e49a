import { dirname, join } from 'node:path'
import type { Workspace } from '../engine/cli/app.js'
import { nearestProjectFile } from '../engine/config/nearest-project.js'
import { nothingSet, type UserSettings } from '../engine/config/user.js'
import { type Inventory, loadInventory } from '../engine/node/inventory.js'
import { useTemplates } from '../engine/template/find.js'
import { type Known, loadProject, type Project } from './settings.js'
import { resolveTargets } from './target.js'
import { targetWords } from './target-words.js'

/**
 * Opens the workspace of a folder. kraftwerk.yaml is read for what stands behind the colon, where its first mistake is thrown as a
 * `setting`, and that of ~/.kraftwerk.yaml to whoever asks for it: whatever needs no target works although a file is broken.
 */
export async function openWorkspace(folder: string, known: Known, settings: Promise<UserSettings>): Promise<Workspace> {
  const [user] = await Promise.allSettled([settings])
  const { templates, warnings } = user.status === 'fulfilled' ? user.value : nothingSet
  const file = nearestProjectFile(folder)
  const project = file === undefined ? undefined : { folder: dirname(file) }
  const userSettings = () => {
    if (user.status === 'rejected') throw user.reason
    return user.value
  }
  let loaded: Promise<Project | undefined> | undefined
  const load = () => {
    loaded ??= loadProject(folder, known)
    return loaded
  }
  useTemplates([
    ...(project === undefined ? [] : [join(project.folder, 'templates')]),
    ...(templates === undefined ? [] : [templates]),
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
    user: userSettings,
    warnings,
    inventory,
    // A prompt is no place for mistakes: nodes can be named all the same.
    words: async () => targetWords(await load().catch(() => undefined), await inventory()),
    async resolve(query) {
      if (query.needs === 'nothing') return [{ word: query.word ?? '', nodes: [], project: undefined }]
      const { default_node } = userSettings()
      const found = await load()
      const defaultNode = found?.settings.default_node ?? default_node
      return resolveTargets(query, { project: found, inventory: await inventory(), defaultNode })
    },
  }
}
