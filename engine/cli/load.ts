import { refuseMisnamed } from '../config/misnamed.js'
import { nearestKraftfile } from '../config/nearest-kraftfile.js'
import { isTask } from '../task/task.js'
import type { App } from './app.js'
import { createRegistry, type Registry } from './registry.js'

/** The tasks that hold in a folder. */
export interface Loaded {
  readonly registry: Registry
  /** The files that the kraftfile is made of; none without one. */
  readonly files: readonly string[]
}

/**
 * Loads built-in tasks and the kraftfile that holds in a folder. Without a kraftfile, a task that is named is loaded alone: the
 * others would cost more than most tasks take.
 */
export async function loadRegistry(app: App, folder: string, name?: string): Promise<Loaded> {
  if (nearestKraftfile(folder) === undefined) {
    const task = name === undefined ? undefined : await app.task(name)
    if (name !== undefined && !isTask(task)) refuseMisnamed(folder, 'kraftfile.ts')
    const builtin = name !== undefined && isTask(task) ? { [name]: task } : await app.tasks()
    return { registry: createRegistry(builtin), files: [] }
  }
  const { loadKraftfile } = await import('../config/kraftfile.js')
  const loading = loadKraftfile(folder, { root: app.root }).catch(async (error: unknown) => {
    const asked = name === undefined ? undefined : await app.task(name)
    if (isTask(asked) && asked.spec.withoutKraftfile === true) return undefined
    throw error
  })
  const [builtin, kraftfile] = await Promise.all([app.tasks(), loading])
  if (kraftfile !== undefined) await app.extend?.(kraftfile.exports, kraftfile.file)
  return {
    registry: createRegistry(builtin, kraftfile),
    files: kraftfile === undefined ? [] : [kraftfile.file, ...kraftfile.imports],
  }
}
