import { expect, it } from 'vitest'
import { instanceSettings, loadProject } from '../../project/settings.js'
import { freshHome, settingError } from '../rig/home.js'

const home = freshHome()

async function load(text: string) {
  await home.write('calculator/kraftwerk.yaml', text)
  return loadProject(home.project, { services: [], vaults: [] })
}

it('rules are times in seconds, and those of an environment are added', async () => {
  const project = await load(`static_url: /assets/v1/
cdn: CDN.example.com
cache: { /: { nginx: 90s }, "/a/*": { browser: 2h, nginx: 1d }, /b/: { browser: none }, /c: { browser: immutable } }
environments: { live: { cache: { /: { browser: 10m }, /b/: {} } } }
`)
  if (project === undefined) throw new TypeError('There should be a project')
  expect(instanceSettings(project)).toMatchObject({
    static_url: '/assets/v1/',
    cdn: 'cdn.example.com',
    cache: {
      '/': { nginx: 90 },
      '/a/*': { browser: 7200, nginx: 86_400 },
      '/b/': { browser: 'none' },
      '/c': { browser: 'immutable' },
    },
  })
  expect(instanceSettings(project, 'live').cache).toEqual({
    '/': { browser: 600 },
    '/a/*': { browser: 7200, nginx: 86_400 },
    '/b/': {},
    '/c': { browser: 'immutable' },
  })
})

it('nothing is cached unless it is asked for', async () => {
  const project = await load('')
  if (project === undefined) throw new TypeError('There should be a project')
  expect(instanceSettings(project)).toMatchObject({ static_url: '/static/', cdn: undefined, cache: {}, protect: undefined })
})

it.each([
  ['static_url: static', '1:13', '"static_url" should be a path on the site with a slash at both ends'],
  ['static_url: /', '1:13', 'with a slash at both ends'],
  ['static_url: https://cdn.example.com/static/', '1:13', 'a host is `cdn`'],
  ['static_url: /a/../b/', '1:13', 'with a slash at both ends'],
  ['static_url: /uploads/x/', '1:13', 'the path of the uploads'],
  ['cdn: https://cdn.example.com', '1:6', '"cdn" should be a domain'],
  ['cache: { blog: { nginx: 1m } }', '1:10', 'should be a path on the site, as in /blog/'],
  ['cache: { "/a;b": { nginx: 1m } }', '1:10', 'should be a path on the site'],
  ['cache: { /: { nginx: 10 } }', '1:22', 'should be a time, as in 30s, 10m, 2h or 7d, not the number 10'],
  ['cache: { /: { nginx: none } }', '1:22', 'should be a time, as in 30s'],
  ['cache: { /: { nginx: 0m } }', '1:22', 'at least 1s'],
  ['cache: { /: { browser: 10 min } }', '1:24', 'should be a time, as in 10m or 7d, or none, or immutable'],
  ['cache: { /: { browser: 900d } }', '1:24', 'between 1s and a year'],
  ['cache: { /: { browsr: 1m } }', '1:15', 'Did you mean "browser"?'],
  ['cache: { /: 10m }', '1:13', '"cache./" should be a map'],
])('%j is an error at %s', async (text, at, message) => {
  const error = await settingError(load(text))
  expect(error.message).toContain(message)
  expect(error.at).toBe(at)
})
