import { loadKraftfile } from '../config/kraftfile.js'
import type { App } from './app.js'
import { createRegistry, type Registry } from './registry.js'

/** Loads built-in tasks and the kraftfile that holds in a folder. `files` are those that the kraftfile is made of. */
export async function loadRegistry(app: App, folder: string): Promise<{ registry: Registry; files: readonly string[] }> {
  const [builtin, kraftfile] = await Promise.all([app.tasks(), loadKraftfile(folder, { root: app.root })])
  return {
    registry: createRegistry(builtin, kraftfile?.exports, kraftfile?.docs),
    files: kraftfile === undefined ? [] : [kraftfile.file, ...kraftfile.imports],
  }
}
