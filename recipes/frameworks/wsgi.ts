import { defineFramework } from '../../project/framework.js'

/** Any other WSGI application: it gets nothing but what its services bring. */
export const framework = defineFramework({
  name: 'wsgi',
  doc: 'Any WSGI callable, with no framework or one that kraft does not know',
  fallback: true,
  detect: () => true,
  environ: () => ({}),
  skeleton: 'wsgi',
})
