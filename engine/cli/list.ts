import type { App } from './app.js'
import { cached } from './list-cache.js'
import { type Listed, printList } from './print-list.js'

/** Prints the tasks, from the cache where nothing that they come from has changed: then only Node.js's own modules are loaded. */
export async function showList(app: App, json: boolean): Promise<number> {
  const tasks = await cached<readonly Listed[]>({ folder: process.cwd(), root: app.root, version: app.version }, async () => {
    const [{ loadRegistry }, { listTasks }] = await Promise.all([import('./load.js'), import('./help.js')])
    const { registry, files } = await loadRegistry(app, process.cwd())
    return { value: listTasks(registry), files }
  })
  process.stdout.write(json ? `${JSON.stringify(tasks, null, 2)}\n` : printList(tasks, process.stdout.columns ?? 100))
  return 0
}
