import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { type Ending, endingText, endingVariables, notifications } from '../../project/notify.js'
import { loadProject } from '../../project/settings.js'
import { freshHome, settingError } from '../rig/home.js'

const ending: Ending = {
  task: 'deploy',
  result: 'success',
  project: 'shop',
  environment: 'live',
  instance: 'shop',
  release: '20261128-010203',
  commit: '1a2b3c4d5e6f',
  revision: 'main',
  who: 'ada@laptop',
  seconds: 12,
  urls: ['https://shop.example.com/'],
  error: null,
}

describe('the setting notify', () => {
  const home = freshHome()

  it('takes webhooks and commands, for both ends unless it says which', () => {
    expect(v.parse(notifications, [{ webhook: 'https://chat.example.com/x' }, { command: ' bell ', on: ['failure'] }])).toEqual([
      { webhook: 'https://chat.example.com/x', on: ['success', 'failure'] },
      { command: 'bell', on: ['failure'] },
    ])
  })

  it.each([
    ['[{ webhook: ftp://chat.example.com/s3cr3t }]', '"notify.0.webhook" should be an address that begins with https://'],
    ['[{ webhook: s3cr3t }]', '"notify.0.webhook" should be an address that begins with https://'],
    ['[{ command: bell, on: [sometimes] }]', '"notify.0.on" should be success or failure'],
    ['[{ webhook: "https://a.example.com/s3cr3t", command: bell }]', '"notify.0.webhook" should be in an item of its own'],
    ['[{ webhok: "https://a.example.com/s3cr3t" }]', '"webhok"'],
  ])('refuses %s and repeats no address', async (text, said) => {
    await home.write('calculator/kraftwerk.yaml', `wsgi: a:b\nnotify: ${text}\n`)
    const { message } = await settingError(loadProject(home.project, { services: [], vaults: [] }))
    expect(message).toContain(said)
    expect(message).not.toContain('s3cr3t')
  })
})

it('tells the end of a deploy in one line', () => {
  expect(endingText(ending)).toBe(
    'shop live: deploy of 20261128-010203 (main, 1a2b3c4) by ada@laptop is done in 12 s: https://shop.example.com/',
  )
  const failed = { ...ending, result: 'failure' as const, environment: null, release: null, commit: null, revision: null }
  expect(endingText({ ...failed, error: 'one: Health check failed' })).toBe(
    'shop: deploy by ada@laptop failed after 12 s: one: Health check failed',
  )
})

it('gives a command the same in variables, of which none sets anything of a kraft that it calls', () => {
  const variables = endingVariables(ending)
  expect(variables).toMatchObject({
    KRAFT_TEXT: endingText(ending),
    KRAFT_TASK: 'deploy',
    KRAFT_RESULT: 'success',
    KRAFT_PROJECT: 'shop',
    KRAFT_ENV: 'live',
    KRAFT_NAME: 'shop',
    KRAFT_RELEASE_ID: '20261128-010203',
    KRAFT_COMMIT: '1a2b3c4d5e6f',
    KRAFT_URL: 'https://shop.example.com/',
    KRAFT_SECONDS: '12',
    KRAFT_ERROR: '',
  })
  expect(Object.keys(variables)).not.toContain('KRAFT_RELEASE')
})
