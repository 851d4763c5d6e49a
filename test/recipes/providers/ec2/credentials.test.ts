import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { explain } from '../../../../recipes/providers/ec2/failures.js'
import { settingsOf } from '../../../../recipes/providers/ec2/settings.js'
import { provider } from '../../../../recipes/providers/ec2.js'
import { kraftErrorOf } from '../../../rig/failure.js'

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kraftwerk-aws-'))
  await mkdir(join(home, '.aws/sso/cache'), { recursive: true })
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  vi.stubEnv('HOME', home)
  vi.stubEnv('AWS_PROFILE', 'work')
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(home, { recursive: true, force: true })
})

const session = `
[profile work]
sso_session = company
sso_account_id = 123456789012
sso_role_name = developer
region = eu-west-1
[sso-session company]
sso_start_url = https://company.example.com/start
sso_region = eu-west-1
`

test('says that the session of aws sso has expired, and how to renew it', async () => {
  await writeFile(join(home, '.aws/config'), session)
  const token = { accessToken: 'c4nary', expiresAt: '2020-01-01T00:00:00Z', startUrl: 'https://company.example.com/start' }
  const name = createHash('sha1').update('company').digest('hex')
  await writeFile(join(home, `.aws/sso/cache/${name}.json`), JSON.stringify(token))
  const error = await kraftErrorOf(provider.list?.({}) ?? Promise.resolve())
  expect(error.message).toMatch(/^Your AWS credentials have expired: .*aws sso login/)
  expect(error.failure).toMatchObject({ kind: 'usage', next: expect.stringContaining('aws sso login') })
  expect(JSON.stringify([error, error.cause, error.stack])).not.toContain('c4nary')
})

test('says that nobody has logged in by aws sso', async () => {
  await writeFile(join(home, '.aws/config'), session)
  const error = await kraftErrorOf(provider.list?.({}) ?? Promise.resolve())
  expect(error.message).toMatch(/^No AWS credentials were found: .*aws sso login/)
})

test('says that there is no such profile', async () => {
  await writeFile(join(home, '.aws/config'), '[profile other]\nregion = eu-west-1\n')
  const error = await kraftErrorOf(provider.list?.({ location_id: 'eu-west-1' }) ?? Promise.resolve())
  expect(error.message).toMatch(/^No AWS credentials were found: .*work/)
})

test('says which region did not answer where no such region is', () => {
  const failure = Object.assign(new Error('getaddrinfo ENOTFOUND ec2.eu-west-9.amazonaws.com'), { code: 'ENOTFOUND' })
  expect(explain(failure, { node: 'one', settings: settingsOf({}), region: 'eu-west-9' })).toMatchObject({
    failure: {
      kind: 'task',
      message: 'EC2 in eu-west-9 did not answer: getaddrinfo ENOTFOUND ec2.eu-west-9.amazonaws.com',
      next: expect.stringContaining('location_id (the region)'),
    },
  })
})
