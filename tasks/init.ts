import { KraftError } from '../engine/errors/failure.js'
import { option } from '../engine/task/option.js'
import { task } from '../engine/task/task.js'
import { initExisting } from './init-existing.js'
import { initNew, oneOf } from './init-new.js'

/** Writes a new project that deploys as it is, or kraftwerk.yaml for the one here. */
export const init = task({
  on: 'once',
  needs: 'nothing',
  group: 'Start',
  meantBy: ['new', 'create', 'startproject'],
  help: 'write a new project, or kraftwerk.yaml for the one here\nA new one deploys as it is.',
  changes: 'nothing; it writes files here',
  examples: ['kraft init', 'kraft init shop', 'kraft init api --flask'],
  options: {
    name: option({
      type: 'string',
      positional: true,
      help: 'name of a new project, and of its folder; without it kraft looks at the project here',
    }),
    django: option({ type: 'boolean', help: 'a Django project; so it is without any of these' }),
    flask: option({ type: 'boolean', help: 'a Flask project' }),
    wsgi: option({ type: 'boolean', help: 'a project without a framework' }),
    framework: option({ type: 'string', help: 'django, flask, wsgi, or a folder of your own in templates/skeleton/' }),
    template: option({
      type: 'string',
      help: 'a folder of your own that is the project: *.ejs is rendered, __name__ in paths too',
    }),
    venv: option({ type: 'boolean', default: true, help: 'make no virtualenv' }),
    git: option({ type: 'boolean', default: true, help: 'make no git repository' }),
  },
  async run({ options, session }) {
    const { name, django, flask, wsgi, framework, template, venv, git } = options
    const chosen = oneOf({ django, flask, wsgi, framework, template })
    if (name !== undefined) return initNew({ name, framework: chosen, template, venv, git }, session)
    if (django || flask || wsgi || framework !== undefined || template !== undefined) {
      const message = 'Without a NAME kraft looks at the project here, and finds its framework by itself'
      throw new KraftError({ kind: 'usage', message, next: 'For a new project: kraft init NAME with these options' })
    }
    return initExisting(session)
  },
})
