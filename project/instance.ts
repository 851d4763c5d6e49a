import { register } from '../engine/shell/redact.js'
import { registerSecretive } from '../engine/shell/secretive.js'
import { quote } from '../engine/shell/sh.js'
import type { Target, TaskProject } from '../engine/task/context.js'
import { noProject } from '../engine/task/no-project.js'
import type { Place } from './service.js'
import { type InstanceSettings, instanceSettings, type Project } from './settings.js'

const mark = Symbol.for('kraftwerk.instance')

/** A project on its nodes for one environment. */
export interface Instance extends TaskProject, Place {
  readonly [mark]: true
  readonly project: Project
  readonly settings: InstanceSettings & Readonly<Record<string, unknown>>
  /** Who it is to the node's record of owners: the same project and environment may deploy again, anyone else is refused. */
  readonly owner: string
}

/** The instance of a project for an environment, or without one. */
export function instanceOf(project: Project, environment: string | undefined): Instance {
  const settings = instanceSettings(project, environment)
  registerSecretive(settings.environ)
  for (const each of [...settings.notify, ...(settings.backup?.notify ?? [])]) if ('webhook' in each) register(each.webhook)
  const { name } = settings
  return {
    [mark]: true,
    project,
    name,
    environment,
    folder: project.folder,
    home: `/web/${name}`,
    settings: { ...settings },
    owner: `${project.name} ${environment ?? '-'}`,
    enter: (command) =>
      [
        `[ -x ${enterScript(name)} ] || { echo ${quote(`kraft: ${name} is not deployed there yet: kraft deploy:${environment ?? 'NODE'}`)} >&2; exit 255; }`,
        `exec ${enterScript(name)} bash -c ${quote(command)}`,
      ].join('\n'),
  }
}

/** The script on the node that runs a command as the instance, in its environment. */
export function enterScript(name: string): string {
  return `/etc/kraftwerk/${name}/enter`
}

/** The instance that a target means. Throws `usage` where there is no project. */
export function requireInstance(target: Target): Instance {
  const { project } = target
  if (project !== undefined && isInstance(project)) return project
  throw noProject()
}

/** Whether what a task knows of a project is all that there is to know of an instance. */
export function isInstance(project: TaskProject): project is Instance {
  return mark in project
}
