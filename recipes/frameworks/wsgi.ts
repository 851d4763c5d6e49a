import { findCallable } from '../../project/detect/callable.js'
import { defineFramework } from '../../project/framework.js'

// Bottle, Falcon, Pyramid, web.py, Dash's server, and what wraps another one.
const made = /^(\w+\.)*(Bottle|default_app|App|API|make_wsgi_app|wsgifunc|get_wsgi_application|application|server|ProxyFix)\b/

/** Any other WSGI application: it gets nothing but what its services bring. */
export const framework = defineFramework({
  name: 'wsgi',
  doc: 'Any WSGI callable, with no framework or one that kraft does not know',
  fallback: true,
  detect: () => true,
  inspect: (tree) => findCallable(tree, made),
  environ: () => ({}),
  skeleton: 'wsgi',
})
