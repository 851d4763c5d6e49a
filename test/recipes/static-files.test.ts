import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hashedName, numberReleases } from '../../recipes/static-files.js'
import { runSteps } from '../rig/run-steps.js'

describe('a name with a hash in it', () => {
  const pattern = new RegExp(hashedName)

  it.each([
    '/static/app.0123456789ab.css',
    '/static/css/app.min.0123456789ab.css',
    '/static/app-AbCd1234.js',
    '/static/app-BhkQy3zA.js',
    '/static/index-B_x-9Qz1.css',
    '/static/name.deadbeef.js',
    '/static/name.deadbeef.chunk.js.map',
    '/static/chunk-5V6BWRMX.js',
    '/static/0f1e2d3c4b5a69788796.png',
  ])('%s', (path) => expect(path).toMatch(pattern))

  it.each([
    '/static/site.css',
    '/static/jquery-3.7.1.min.js',
    '/static/report-20240131.pdf',
    '/static/IMG.20240131120000.jpg',
    '/static/picture-portrait.jpg',
    '/static/logo-iPhone12.png',
    '/static/Button-MyButton.js',
    '/static/README-VERSION2.txt',
    '/static/deadbeef/site.css',
    '/static/deadbeef.js',
    '/static/name.deadbee.js',
    '/static/name-AbCd12345.js',
    '/static/name.deadbeef',
  ])('not %s', (path) => expect(path).not.toMatch(pattern))
})

describe('numbers of releases', () => {
  let home = ''
  const owner = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim()
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'kraft-former-'))
    mkdirSync(join(home, 'releases'))
  })
  afterEach(() => rmSync(home, { recursive: true, force: true }))

  async function deploy(id: string) {
    mkdirSync(join(home, 'releases', id))
    const ended = await runSteps(numberReleases({ place: { name: owner, home }, id, generation: id }))
    expect(ended.map(({ status }) => status)).not.toContain('failed')
  }
  const numbers = () =>
    Object.fromEntries(
      readdirSync(join(home, 'former')).map((number) => [
        number,
        readlinkSync(join(home, 'former', number)).slice('../releases/'.length),
      ]),
    )

  it('are kept while a release is one of the newest, and given to the next after that', async () => {
    for (const id of ['20260101-1', '20260101-2', '20260101-3', '20260101-4', '20260101-5']) await deploy(id)
    const five = numbers()
    expect(Object.values(five).sort()).toEqual(['20260101-1', '20260101-2', '20260101-3', '20260101-4', '20260101-5'])
    await deploy('20260101-6')
    const [free] = Object.entries(five).find(([, id]) => id === '20260101-1') ?? []
    expect(numbers()).toEqual({ ...five, [free ?? '']: '20260101-6' })
  })

  it('of releases that are gone are free again', async () => {
    await deploy('20260101-1')
    await deploy('20260101-2')
    rmSync(join(home, 'releases/20260101-1'), { recursive: true })
    await deploy('20260101-3')
    expect(Object.values(numbers()).sort()).toEqual(['20260101-2', '20260101-3'])
  })

  it('are made for releases of before there were numbers', async () => {
    mkdirSync(join(home, 'releases/20260101-1'))
    await deploy('20260101-2')
    expect(Object.values(numbers()).sort()).toEqual(['20260101-1', '20260101-2'])
  })
})
