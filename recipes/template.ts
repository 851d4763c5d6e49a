import type { Sh } from '../engine/shell/sh.js'
import type { Handler, Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import { file, type Ownership } from './file.js'

/** What {@link template} is given beside the template's name. */
export interface TemplateOptions extends Ownership {
  /** Where it lands on the node. */
  readonly to: string
  /** What the template can name. With a secret among them the file is one: mode 0600, never shown. */
  readonly vars?: Readonly<Record<string, unknown>>
  /** Run at the end of the phase if the file changed. */
  readonly notify?: readonly Handler[]
  /** As for `file`: shell that fails if `$KRAFT_FILE` is not valid. */
  readonly validate?: Sh
}

/**
 * A file made of an EJS template from the project's `templates/` or kraftwerk's own, whichever has it first.
 *
 * @throws KraftError `setting` where there is no such template or a mistake in it, with its line.
 * @example template('reports.conf', { to: '/etc/reports.conf', vars: { jobs: facts.cpus } })
 */
export function template(name: string, { to, vars, ...options }: TemplateOptions): readonly Step[] {
  return file({ path: to, content: render(name, vars), ...options })
}
