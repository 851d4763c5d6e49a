import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sendStream } from '../../engine/transfer/send.js'
import { unpackCommand } from '../../recipes/release.js'
import { type Loopback, startLoopback } from '../rig/loopback.js'

let loopback: Loopback
let home: string
beforeAll(async () => {
  loopback = await startLoopback()
  home = await mkdtemp(join(tmpdir(), 'kraft-release-'))
  await mkdir(join(home, 'releases'))
  await writeFile(join(home, 'one.txt'), 'first')
})
afterAll(async () => {
  await loopback.stop()
  await rm(home, { recursive: true, force: true })
})

it('an upload is unpacked, and waited for, also where its end comes late', async () => {
  const { stdout: archive } = await promisify(execFile)('tar', ['-C', home, '-cf', '-', 'one.txt'], { encoding: 'buffer' })
  const late = async function* () {
    yield archive
    await pause(1000)
  }
  const release = { place: { name: 'shop', home }, id: '20260101-000000', generation: '20260101-000000' }
  const sent = await sendStream(loopback.connect(), () => Readable.from(late()), unpackCommand(release).text)
  expect(sent).toBe(archive.length)
  expect(await readFile(join(home, 'releases/.20260101-000000/one.txt'), 'utf8')).toBe('first')
})
