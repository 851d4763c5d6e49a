import { expect, it } from 'vitest'
import { isCodeOnly } from '../../project/code-only.js'

const plain = { release: undefined, hooks: {} }

it('code and pages need neither a migration nor a build', () => {
  expect(isCodeOnly(['shop/views.py', 'manage.py', 'shop/templates/shop/index.html'], plain)).toBe(true)
  expect(isCodeOnly(['shop/views.py'], { ...plain, release: false })).toBe(true)
})

it.each([
  'shop/migrations/0002_more.py',
  'shop/models.py',
  'shop/models/order.py',
  'shop/apps.py',
  'shop/settings.py',
  'config/live.py',
  'setup.py',
  'shop/static/page.html',
  'shop/site.css',
  'requirements.txt',
  'kraftwerk.yaml',
  'templates/nginx/site.conf.ejs',
])('%s may', (path) => {
  expect(isCodeOnly(['shop/views.py', path], plain)).toBe(false)
})

it('what the project says itself about releasing and building may hang on any file', () => {
  const hook = [{ command: 'make', local: false }]
  expect(isCodeOnly(['shop/views.py'], { ...plain, release: 'shop-setup' })).toBe(false)
  expect(isCodeOnly(['shop/views.py'], { ...plain, hooks: { 'before-build': hook } })).toBe(false)
  expect(isCodeOnly(['shop/views.py'], { ...plain, hooks: { 'after-release': hook } })).toBe(false)
  expect(isCodeOnly(['shop/views.py'], { ...plain, hooks: { 'after-switch': hook } })).toBe(true)
})
