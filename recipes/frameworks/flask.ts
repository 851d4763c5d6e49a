import { defineFramework } from '../../project/framework.js'

/** Flask: `flask` on the node finds the application that gunicorn runs. */
export const framework = defineFramework({
  name: 'flask',
  doc: 'Flask: the flask command finds the application by itself',
  detect: ({ requires }) => requires.has('flask'),
  environ: (_project, wsgi) => ({ FLASK_APP: wsgi }),
  skeleton: 'flask',
})
