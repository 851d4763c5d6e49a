import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sh } from '../../engine/shell/sh.js'
import type { Manifest } from '../../project/manifest.js'
import type { Place } from '../../project/service.js'
import { type DataService, describeMembers, discard, dumpMembers, readMembers, receiveBundle } from '../../recipes/bundle.js'
import { swapIn } from '../../recipes/exchange.js'
import { loadBeside } from '../../recipes/load-beside.js'
import { roomFor } from '../../recipes/room.js'
import { fileService } from '../rig/file-service.js'
import { runSteps } from '../rig/run-steps.js'

let home: string
let place: Place

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kraft-bundle-'))
  await mkdir(join(home, 'dump'))
  place = { name: 'shop', home }
})
afterEach(() => rm(home, { recursive: true, force: true }))

const service = (name: string) => fileService(home, name)

const live = async (name: string, text: string) => writeFile(join(home, `${name}.live`), text)
const read = (file: string) => readFile(join(home, file), 'utf8')
const loaded = (services: readonly DataService[], manifest: Manifest) => {
  const { begin, wait } = loadBeside(place, services, { id: 'one', manifest })
  return [...begin, ...wait]
}
const statuses = async (steps: Parameters<typeof runSteps>[0]) => (await runSteps(steps)).map(({ status }) => status)

async function dumped(services: readonly DataService[]): Promise<Manifest> {
  expect(await statuses(dumpMembers(place, 'one', services))).toEqual(['ok', ...services.map(() => 'ok')])
  const [told] = await runSteps([{ title: 'Describe', apply: describeMembers(place, 'one', services) }])
  const members = readMembers(`${told?.output}\n`)
  return {
    format: 'kraftwerk bundle',
    version: 1,
    kraft: '',
    project: '',
    environment: null,
    instance: 'shop',
    release: '',
    time: '',
    members,
  }
}

describe('a dump', () => {
  it('writes each member with its size, checksum and counts, for root alone', async () => {
    await live('a', 'one\ntwo\n')
    await live('b', '')
    const { members } = await dumped([service('a'), service('b')])
    expect(members).toMatchObject([
      { file: 'a.txt', service: 'a', size: 8, sha256: expect.stringMatching(/^[0-9a-f]{64}$/), counts: { 'lines in it': 2 } },
      { file: 'b.txt', service: 'b', size: 0, counts: { 'lines in it': 0 } },
    ])
    const [modes] = await runSteps([{ title: 'Modes', apply: sh`stat -c %a ${`${home}/dump/one`} ${`${home}/dump/one/a.txt`}` }])
    expect(modes?.output.split('\n')).toEqual(['700', '600'])
  })

  it('fails where a service does', async () => {
    expect(await statuses(dumpMembers(place, 'one', [service('missing'), service('b')]))).toEqual(['ok', 'failed'])
  })

  it('that would not fit on the disk is refused before it begins, says how much is wanting, and leaves nothing', async () => {
    await live('a', 'one\n')
    const a = service('a')
    const sized = (bytes: string) => [{ ...a, data: { ...a.data, size: () => sh`echo ${bytes}` } }, a]
    const [refused, ...more] = await runSteps(dumpMembers(place, 'one', sized(String(2 ** 50))))
    const [, wanted, free, few] =
      /wants up to (\d+) MB free on \S+\/dump, where (\d+) MB are: (\d+) MB too few/.exec(refused?.output ?? '') ?? []
    expect([refused?.status, more, Number(wanted)]).toEqual(['failed', [], 2 ** 30 + 100])
    expect(Number(free) + Number(few)).toBe(Number(wanted))
    expect(await readdir(join(home, 'dump'))).toEqual([])
    const [twice] = await runSteps(dumpMembers(place, 'one', sized(String(2 ** 50)), undefined, 2))
    expect(twice?.output).toContain(`wants up to ${2 ** 31 + 100} MB`)
    expect(await statuses(dumpMembers(place, 'one', sized('1000')))).toEqual(['ok', 'ok', 'ok'])
  })

  it('of a service that can not say its size is tried', async () => {
    const a = service('missing')
    const mute = { ...a, data: { ...a.data, size: () => sh`echo broken >&2; exit 3` } }
    expect(await statuses(dumpMembers(place, 'one', [mute]))).toEqual(['ok', 'failed'])
  })
})

describe('a load', () => {
  it('proves the bundle, loads beside and leaves what is live alone, then swaps', async () => {
    const services = [service('a'), service('b')]
    await live('a', 'new\n')
    await live('b', 'new b\n')
    const manifest = await dumped(services)
    await live('a', 'old\n')
    expect(await statuses(loaded(services, manifest))).toEqual(['ok', 'ok', 'ok'])
    expect([await read('a.live'), await read('a.beside')]).toEqual(['old\n', 'new\n'])
    expect(await statuses(swapIn(place, services, 'the data of shop'))).toEqual(['ok', 'changed'])
    expect([await read('a.live'), await read('a.former')]).toEqual(['new\n', 'old\n'])
    expect(await statuses(discard(place, 'one', services))).toEqual(['ok'])
    expect(await readdir(join(home, 'dump'))).toEqual(['loaded'])
  })

  it('that would not fit on the disk is refused, and says how much room it wants', async () => {
    const manifest = await dumped([])
    const sized = (size: number) => ({ ...manifest, members: [{ file: 'a.txt', service: 'a', size, sha256: '', counts: {} }] })
    expect(await statuses(roomFor(place, sized(1)))).toEqual(['ok'])
    const [told] = await runSteps(roomFor(place, sized(2 ** 50)))
    expect([told?.status, told?.output]).toEqual([
      'failed',
      expect.stringContaining(`wants 4294967397 MB free on ${home} and on /var/lib`),
    ])
  })

  it('of a member that was changed on its way loads nothing', async () => {
    await live('a', 'new\n')
    const manifest = await dumped([service('a')])
    await writeFile(join(home, 'dump/one/a.txt'), 'bad\n')
    const ended = await runSteps(loaded([service('a')], manifest))
    expect(ended.map(({ status }) => status)).toEqual(['ok', 'failed'])
    expect(ended[1]?.output).toContain('a.txt is not what the manifest says')
    expect(await readdir(home)).not.toContain('a.beside')
  })

  describe('of what is read once', () => {
    const once = (): DataService => {
      const { service: one, data } = service('a')
      return { service: one, data: { ...data, makeBeside: () => sh`: >${home}/made`, readsOnce: true } }
    }
    /** Sends a text where `new` is announced, a piece at a time, and tells how the load ends. */
    async function sent(...pieces: readonly string[]) {
      await live('a', 'new\nmore\n')
      const manifest = await dumped([once()])
      await rm(join(home, 'dump/one/a.txt'))
      const { begin, wait } = loadBeside(place, [once()], { id: 'one', manifest, arrives: true, goes: true })
      expect(await statuses(begin)).toEqual(['ok'])
      await expect.poll(() => readdir(home)).toContain('made')
      for (const [index, piece] of pieces.entries()) {
        await appendFile(join(home, 'dump/one/a.txt'), piece)
        if (index === 0) await expect.poll(() => read('a.beside').catch(() => '')).toBe(piece)
      }
      const [ended] = await runSteps(wait)
      return ended
    }

    it('takes it while it comes, and leaves nothing of the bundle', async () => {
      expect(await sent('new\n', 'more\n')).toMatchObject({ status: 'ok' })
      expect(await read('a.beside')).toBe('new\nmore\n')
      expect(await readdir(join(home, 'dump/one'))).not.toContain('a.txt')
    })

    it('fails where it is not what the manifest says', async () => {
      const ended = await sent('new\n', 'MORE\n')
      expect([ended?.status, ended?.output]).toEqual(['failed', expect.stringContaining('a.txt is not what the manifest says')])
    })
  })

  it('whose counts are not those of the manifest fails before it swaps', async () => {
    await live('a', 'new\n')
    const manifest = await dumped([service('a')])
    const members = manifest.members.map((member) => ({ ...member, counts: { 'lines in it': 9 } }))
    const ended = await runSteps(loaded([service('a')], { ...manifest, members }))
    expect(ended.map(({ status }) => status)).toEqual(['ok', 'failed'])
    expect(ended[1]?.output).toContain('What was loaded is not what the manifest says')
  })
})

it('counts whose names hold spaces are read as they are', () => {
  const hash = 'a'.repeat(64)
  expect(readMembers(`member p.dump postgres 10 ${hash}\nrows.public.my table 3\nmember f.tar files 0 ${hash}\n`)).toEqual([
    { file: 'p.dump', service: 'postgres', size: 10, sha256: hash, counts: { 'rows.public.my table': 3 } },
    { file: 'f.tar', service: 'files', size: 0, sha256: hash, counts: {} },
  ])
})

it('takes a bundle to the end of what is sent, so that whoever sends it never meets a closed channel', async () => {
  await writeFile(join(home, 'member'), 'text')
  // tar fills its last block, as Python does: behind the end of the content nothing is left to wait for but the end itself.
  const { stdout: archive } = await promisify(execFile)('tar', ['-C', home, '-cf', '-', 'member'], { encoding: 'buffer' })
  expect(archive.length % 10_240).toBe(0)
  const child = spawn('sh', ['-c', receiveBundle(place, 'one').text])
  const ended = once(child, 'exit')
  child.stdin.write(archive)
  await expect.poll(() => readFile(join(home, 'dump/one/member'), 'utf8').catch(() => '')).toBe('text')
  expect(await Promise.race([ended, pause(300)])).toBeUndefined()
  child.stdin.end()
  expect(await ended).toEqual([0, null])
})
