import { describe, expect, it } from 'vitest'
import { reveal, type Secret } from '../../engine/shell/secret.js'
import { readBackup } from '../../project/backup.js'
import { instanceOf } from '../../project/instance.js'
import { loadProject } from '../../project/settings.js'
import { freshHome, settingError } from '../rig/home.js'

const home = freshHome()
const full = 'bucket: shop-backups, access_key: AKIA1, secret_key: hush-hush'
const age = `age1${'q'.repeat(58)}`

async function load(text: string) {
  await home.write('calculator/kraftwerk.yaml', text)
  return loadProject(home.project, { services: [], vaults: ['op'] })
}

async function plan(text: string, environment?: string) {
  const project = await load(text)
  if (project === undefined) throw new TypeError('There should be a project')
  return readBackup(instanceOf(project, environment))
}

describe('backup', () => {
  it('needs a bucket and keys, and the rest has defaults', async () => {
    const found = await plan(`backup: { ${full} }`)
    expect(JSON.stringify(found)).not.toContain('hush-hush')
    expect(reveal(found?.secretKey as Secret)).toBe('hush-hush')
    expect(found).toMatchObject({
      schedule: '30 3 * * *',
      endpoint: undefined,
      region: 'us-east-1',
      folder: 'calculator/-',
      keep: { daily: 7, weekly: 4, monthly: 6 },
      encrypt: [],
      notify: [],
    })
    expect(await plan('wsgi: a:b')).toBeUndefined()
  })

  it('stage and live that share all of it have folders of their own, and keys may be in a vault', async () => {
    const text = `backup: { ${full}, prefix: /servers/, keep: { daily: 3, weekly: 0 }, notify: [{ command: bell }] }
environments:
  stage: { backup: false }
  live: { backup: { secret_key: { op: op://a/b }, keep: { daily: 30 }, encrypt: ${age}, endpoint: "https://s3.example.com/" } }
`
    expect(await plan(text, 'stage')).toBeUndefined()
    expect(await plan(text, 'live')).toMatchObject({
      endpoint: 'https://s3.example.com',
      folder: 'servers/calculator/live',
      accessKey: 'AKIA1',
      secretKey: { vault: 'op', reference: 'op://a/b' },
      keep: { daily: 30, weekly: 0, monthly: 6 },
      encrypt: [age],
      notify: [{ command: 'bell', on: ['failure'] }],
    })
  })

  it('says where and what is missing', async () => {
    const text = 'wsgi: a:b\nbackup: { bucket: abc }\nenvironments: { live: { backup: { access_key: AKIA1 } } }\n'
    expect(await settingError(plan(text))).toMatchObject({
      at: '2:1',
      message: expect.stringContaining('"backup" lacks access_key, secret_key'),
    })
    expect(await settingError(plan(text, 'live'))).toMatchObject({
      at: '3:25',
      message: expect.stringContaining('"backup" lacks secret_key'),
    })
  })

  it.each([
    ['{ schedule: 61 4 * * * }', 'a minute from 0 to 59'],
    ['{ schedule: "@reboot" }', 'a schedule with times'],
    ['{ endpoint: s3.example.com }', 'the address of an S3 alone'],
    ['{ endpoint: "https://me:hush-hush@s3.example.com" }', 'the address of an S3 alone'],
    ['{ bucket: Shop_Backups }', 'the name of a bucket'],
    ['{ prefix: a/../b }', 'a folder with no ".." in it'],
    ['{ secret_key: "hush-hush with blanks" }', 'one word of text'],
    ['{ secret_key: { pass: hush-hush } }', 'one vault with its reference (op), and not a map'],
    ['{ encrypt: AGE-SECRET-KEY-1HUSH-HUSH }', "an age key's public half"],
    ['{ encrypt: [] }', 'at least one key'],
    ['{ keep: { yearly: 1 } }', '"yearly"'],
    ['{ keep: { daily: -1 } }', 'at least 0'],
    ['{ notify: [{ webhook: hush-hush }] }', 'an address that begins with https://'],
    ['{ buckt: abc }', '"buckt"'],
    ['yes', 'a map'],
  ])('refuses %s and repeats no secret', async (text, said) => {
    const { message } = await settingError(load(`backup: ${text}`))
    expect(message).toContain(said)
    expect(message.toLowerCase()).not.toContain('hush-hush')
  })
})
