import { expect, it } from 'vitest'
import { instanceOf } from '../../project/instance.js'
import { loadProject } from '../../project/settings.js'
import { afterDeploy, afterDump, afterStart } from '../../tasks/next-command.js'
import { freshHome } from '../rig/home.js'

const home = freshHome()

async function instance(environments: string, name?: string) {
  await home.write('calculator/kraftwerk.yaml', `version: 1\nwsgi: calculator.wsgi:application\n${environments}`)
  const project = await loadProject(home.project, { services: [], vaults: [] })
  if (project === undefined) throw new Error('no project was read')
  return instanceOf(project, name)
}

const both = 'environments:\n  stage: { name: calculator-stage, nodes: [one] }\n  live: { live: true, nodes: [two] }\n'

it('a deploy leads to the site and, where another environment is live, on to that', async () => {
  expect(afterDeploy(await instance(both, 'stage'), 'one')).toBe('kraft open:stage && kraft promote:stage live')
  expect(afterDeploy(await instance(both, 'live'), 'live')).toBe('kraft open:live')
  expect(afterDeploy(await instance(''), 'one')).toBe('kraft open:one')
})

it('a dump leads to another environment, never into a live one, and to no file whose name a shell would take apart', async () => {
  expect(afterDump(await instance(both, 'live'), 'shop.bundle')).toBe('kraft load:stage shop.bundle')
  expect(afterDump(await instance(both, 'stage'), 'shop.bundle')).toBeUndefined()
  expect(afterDump(await instance(both, 'live'), 'my shop.bundle')).toBeUndefined()
  expect(afterDump(await instance(''), 'shop.bundle')).toBeUndefined()
})

it('a machine that is at another address leads to a reload, unless the site has a domain', async () => {
  expect(afterStart(await instance(both, 'stage'), 'one', ['one'])).toBe('kraft reload:stage')
  expect(afterStart(await instance(both, 'stage'), 'one', [])).toBeUndefined()
  expect(afterStart(await instance('domain: shop.example.com\n'), 'one', ['one'])).toBeUndefined()
})
