import { expect, it } from 'vitest'
import { reveal } from '../../engine/shell/secret.js'
import { instanceSettings, loadProject } from '../../project/settings.js'
import { freshHome, settingError } from '../rig/home.js'

const home = freshHome()

async function load(text: string) {
  await home.write('calculator/kraftwerk.yaml', text)
  return loadProject(home.project, { services: [], vaults: [] })
}

async function protection(text: string, environment?: string) {
  const project = await load(text)
  if (project === undefined) throw new TypeError('There should be a project')
  return instanceSettings(project, environment).protect
}

it('a password is a secret, in the clear or as a hash', async () => {
  const plain = await protection('protect: { user: guest, password: come-in-please }')
  expect(JSON.stringify(plain)).not.toContain('come-in')
  expect(plain).toMatchObject({ noindex: true, except: [], allow: [], login: { user: 'guest', password: { hashed: false } } })
  expect(plain?.login && reveal(plain.login.password.value)).toBe('come-in-please')
  for (const hash of ['$6$salt$abcdefgh', '$apr1$salt$abcdefgh', '$2y$10$abcdefgh', '{SSHA}abcdefgh']) {
    const given = await protection(`protect: { user: guest, password: '${hash}' }`)
    expect(given?.login?.password.hashed, hash).toBe(true)
  }
  const clear = await protection("protect: { user: guest, password: '{PLAIN}abcdefgh' }")
  expect(clear?.login?.password.hashed).toBe(false)
})

it('an environment adds to it, or takes it back', async () => {
  const text = `protect: { user: guest, password: come-in-please, except: [/hooks/], noindex: false }
environments: { stage: { protect: { allow: [203.0.113.0/24, "2001:db8::/32", 10.0.0.1] } }, live: { protect: false } }
`
  expect(await protection(text, 'stage')).toMatchObject({
    login: { user: 'guest' },
    noindex: false,
    except: ['/hooks/'],
    allow: ['203.0.113.0/24', '2001:db8::/32', '10.0.0.1'],
  })
  expect(await protection(text, 'live')).toBeUndefined()
})

it('without a password the site only stays out of search engines', async () => {
  expect(await protection('protect: {}')).toEqual({ login: undefined, noindex: true, except: [], allow: [] })
})

it.each([
  ['protect: yes', '1:10', '"protect" should be a map'],
  ['protect: { user: guest }', '1:10', 'both a user and a password'],
  ['protect: { user: guest, password: short }', '1:35', 'at least 8 characters'],
  ['protect: { user: guest, password: 1234567890 }', '1:35', 'stands in quotes'],
  ['protect: { user: "a:b", password: come-in-please }', '1:18', 'without blanks and colons'],
  ['protect: { usr: guest }', '1:12', 'The key "usr" in "protect" should be one of user'],
  ['protect: { except: [hooks] }', '1:21', 'a path on the site'],
  ['protect: { allow: [office] }', '1:20', 'an address or a network'],
  ['protect: { allow: [203.0.113.0/33] }', '1:20', 'an address or a network'],
])('%j is an error at %s', async (text, at, message) => {
  const error = await settingError(load(text))
  expect(error.message).toContain(message)
  expect(error.message).not.toMatch(/short|1234567890|come-in/)
  expect(error.at).toBe(at)
})
