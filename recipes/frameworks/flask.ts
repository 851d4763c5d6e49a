import { findCallable } from '../../project/detect/callable.js'
import { defineFramework } from '../../project/framework.js'
import { inspectFiles } from './flask/files.js'
import { inspectInstance } from './flask/instance.js'

/** Flask: `flask` on the node finds the application that gunicorn runs. */
export const framework = defineFramework({
  name: 'flask',
  doc: 'Flask: the flask command finds the application by itself',
  detect: ({ requires }) => requires.has('flask'),
  inspect: (tree) => [...findCallable(tree, /^(\w+\.)?(Flask|APIFlask)\(/), ...inspectInstance(tree), ...inspectFiles(tree)],
  environ: (_project, wsgi) => ({ FLASK_APP: wsgi }),
  skeleton: 'flask',
})
