import type { InstanceSettings } from './settings.js'

// What migrations, static files or the environment may hang on although it is code.
const deeper =
  /(^|\/)(setup|apps)\.py$|(^|\/)(migrations?|models|settings|config|conf)(\.py$|\/)|(^|\/)(static|assets|public|dist)\//

/**
 * Whether it is enough to put changed files beside the others and start anew: they are Python or pages, and neither the release command
 * nor what is built hangs on them, as far as their names tell. Never where the project has a release command of its own, or hooks around it
 * or a build: nobody knows what those read.
 *
 * @example isCodeOnly(['shop/views.py'], settings) // true
 */
export function isCodeOnly(changed: readonly string[], { release, hooks }: Pick<InstanceSettings, 'release' | 'hooks'>): boolean {
  const own = typeof release === 'string' || Object.keys(hooks).some((name) => /-(build|release)$/.test(name))
  return !own && changed.every((path) => /\.(py|html|jinja2?|j2)$/.test(path) && !deeper.test(path))
}
