import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Candidate, candidate, detectFramework } from '../../../project/framework.js'
import { readRequirements, requiredNames } from '../../../project/requirements.js'
import { framework as django } from '../../../recipes/frameworks/django.js'
import { framework as flask } from '../../../recipes/frameworks/flask.js'
import { framework as wsgi } from '../../../recipes/frameworks/wsgi.js'

const all = [wsgi, flask, django]

function project(files: Readonly<Record<string, string>>, ...requires: readonly string[]): Candidate {
  return { folder: '/srv/shop', requires: new Set(requires), read: (path) => files[path] }
}

it.each([
  ['guestbook', 'django'],
  ['httpbin', 'wsgi'],
])('the example %s is recognised as %s', (name, expected) => {
  const folder = join(import.meta.dirname, '../../../examples', name)
  expect(detectFramework(all, candidate({ folder, requires: requiredNames(readRequirements({ folder }).text) })).name).toBe(
    expected,
  )
})

it('the templates of a skeleton carry the name of a framework', () => {
  for (const { name, skeleton } of all) expect(skeleton).toBe(name)
})

it('Django is what has a manage.py of Django, required by name or by something else that brings it', () => {
  expect(detectFramework(all, project({ 'manage.py': '' }, 'django', 'flask'))).toBe(django)
  expect(detectFramework(all, project({ 'manage.py': 'from django.core.management import x' }, 'wagtail'))).toBe(django)
  expect(detectFramework(all, project({ 'manage.py': '' }, 'flask'))).toBe(flask)
  expect(detectFramework(all, project({}, 'bottle'))).toBe(wsgi)
})

it("Django's settings are those that the WSGI module names, then those of manage.py, then the usual ones", () => {
  const manage = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.local")'
  const module = "os.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings.live'"
  const settings = (files: Readonly<Record<string, string>>) => django.environ(project(files), 'shop.web.wsgi:application')
  expect(settings({ 'manage.py': manage, 'shop/web/wsgi.py': module })).toEqual({ DJANGO_SETTINGS_MODULE: 'shop.settings.live' })
  expect(settings({ 'manage.py': manage })).toEqual({ DJANGO_SETTINGS_MODULE: 'shop.settings.local' })
  expect(settings({ 'manage.py': `# ${manage}` })).toEqual({ DJANGO_SETTINGS_MODULE: 'shop.settings' })
})

it('the flask command finds what gunicorn runs', () => {
  expect(flask.environ(project({}), 'shop.wsgi:application')).toEqual({ FLASK_APP: 'shop.wsgi:application' })
})
