import { render } from '../../../engine/template/render.js'

/**
 * A file of templates/providers/local with its values filled in, as `at`. A user's folder of templates overrides it.
 *
 * @example template('pip.conf', { gateway: '10.77.0.1', port: 3144 })
 */
export function template(name: string, values: Readonly<Record<string, unknown>>): string {
  return String(render(`providers/local/${name}`, { at: values }))
}
