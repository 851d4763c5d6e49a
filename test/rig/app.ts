import { fileURLToPath } from 'node:url'
import type { App } from '../../engine/cli/app.js'
import { loadUserSettings } from '../../engine/config/user.js'
import { openWorkspace } from '../../project/workspace.js'
import { addKinds, knownKinds } from '../../recipes/kinds.js'

const tasks = async (): Promise<Readonly<Record<string, unknown>>> => ({ ...(await import('../../tasks/index.js')) })

/** What kraft.ts plugs into the engine, of the sources: for tests that need kraft's answer and not its process. */
export const app: App = {
  root: fileURLToPath(new URL('../..', import.meta.url)),
  version: '0.0.0',
  tasks,
  task: async (name) => (await tasks())[name],
  extend: async (exports, file) => addKinds(exports, file),
  open: (folder) => openWorkspace(folder, knownKinds(), loadUserSettings({})),
}
