import { expect, it } from 'vitest'
import { reveal, Secret } from '../../engine/shell/secret.js'
import { instanceSettings, loadProject } from '../../project/settings.js'
import { freshHome, settingError } from '../rig/home.js'

const home = freshHome()
async function load(index: string) {
  await home.write('calculator/kraftwerk.yaml', `index: ${index}`)
  const found = await loadProject(home.project, { services: [], vaults: ['op'] })
  if (found === undefined) throw new TypeError('There should be a project')
  return found
}

it('an index of packages is an address, with its credentials apart and never printed', async () => {
  const of = async (index: string) => instanceSettings(await load(index)).index
  expect(await of('https://pypi.example.com/simple')).toEqual([{ url: 'https://pypi.example.com/simple' }])
  const [signed, other] = await of('["https://ada:p%40ssw0rd@x.org/s", { url: https://y.org, user: { op: u } }]')
  expect([signed, other]).toEqual([
    { url: 'https://x.org/s', user: 'ada', password: expect.anything() },
    { url: 'https://y.org/', user: { vault: 'op', reference: 'u' } },
  ])
  expect(signed?.password instanceof Secret && reveal(signed.password)).toBe('p@ssw0rd')
  expect(JSON.stringify(signed)).not.toContain('ssw0rd')
  for (const wrong of ['ftp://ada:p4ssw0rd@x.org', '{ url: "p4ssw0rd" }', '{ url: "https://x.org", password: ["p4ssw0rd"] }']) {
    expect(JSON.stringify(await settingError(load(wrong)))).not.toContain('p4ssw0rd')
  }
})

it('a password that nobody has escaped is taken as it is written', async () => {
  const [index] = instanceSettings(await load('https://ada:50%off@x.org/s')).index
  expect(index?.password instanceof Secret && reveal(index.password)).toBe('50%off')
})
