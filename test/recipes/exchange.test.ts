import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Place } from '../../project/service.js'
import { discard, dumpMembers } from '../../recipes/bundle.js'
import { forgetFormer, parseLoaded, readLoaded, swapBack, swapIn, undoInterrupted } from '../../recipes/exchange.js'
import { fileService } from '../rig/file-service.js'
import { runSteps } from '../rig/run-steps.js'

let home: string
let place: Place
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kraft-exchange-'))
  await mkdir(join(home, 'dump'))
  place = { name: 'shop', home }
  for (const name of ['a', 'b']) await hold(name, 'old', 'new')
})
afterEach(() => rm(home, { recursive: true, force: true }))

const hold = async (name: string, live: string, beside: string) => {
  await writeFile(join(home, `${name}.live`), live)
  await writeFile(join(home, `${name}.beside`), beside)
}
const read = (what: string) => Promise.all(['a', 'b'].map((name) => readFile(join(home, `${name}.${what}`), 'utf8')))
const statuses = async (steps: Parameters<typeof runSteps>[0]) => (await runSteps(steps)).map(({ status }) => status)
const loaded = async () => parseLoaded((await runSteps([{ title: 'Read', apply: readLoaded(place) }]))[0]?.output ?? '')
const two = () => [fileService(home, 'a'), fileService(home, 'b')]

it('all services change places, and who asks is told what was loaded', async () => {
  expect(await statuses(swapIn(place, two(), 'the data of Monday'))).toEqual(['ok', 'changed'])
  expect([await read('live'), await read('former')]).toEqual([
    ['new', 'new'],
    ['old', 'old'],
  ])
  expect(await loaded()).toMatchObject({ services: ['a', 'b'], what: 'the data of Monday' })
  expect(await readdir(join(home, 'dump'))).toEqual(['loaded'])
  expect(await statuses(undoInterrupted(place))).toEqual(['ok'])
})

it('where one fails those before it go back, and nothing counts as loaded', async () => {
  const [, ended] = await runSteps(swapIn(place, [fileService(home, 'a'), fileService(home, 'b', { swap: 'fails' })], 'x'))
  expect(ended).toMatchObject({ status: 'failed', output: expect.stringContaining('the data that was live is put back') })
  expect([await read('live'), await loaded(), await readdir(join(home, 'dump'))]).toEqual([['old', 'old'], undefined, []])
})

it('one that is cut off half-way is seen by whoever dumps, and undone by the next run, however often that is cut off', async () => {
  const services = [fileService(home, 'a'), fileService(home, 'b', { swap: 'is cut off' })]
  await runSteps(swapIn(place, services, 'x'))
  expect(await readFile(join(home, 'a.live'), 'utf8')).toBe('new')
  const refused = await runSteps(dumpMembers(place, 'one', services))
  expect(refused).toMatchObject([{ status: 'failed', output: expect.stringContaining('was cut off') }])
  expect(await readdir(join(home, 'dump'))).toEqual(['exchange'])
  // The first of them that undoes is itself cut off before it has told that it is done.
  const journal = join(home, 'dump/exchange')
  const undo = await readFile(join(journal, 'undo'), 'utf8')
  await writeFile(
    join(journal, 'undo'),
    undo.replace(/^for each.*$/m, (line) => `${line}\ntest -e ${home}/again || { touch ${home}/again; exit 9; }`),
  )
  expect(await statuses(undoInterrupted(place))).toEqual(['failed'])
  expect(await statuses(undoInterrupted(place))).toEqual(['ok'])
  expect([await read('live'), await read('beside'), await readdir(join(home, 'dump'))]).toEqual([
    ['old', 'old'],
    ['new', 'new'],
    [],
  ])
})

it.each([
  ['a load', () => swapIn(place, two(), 'x')],
  ['an undo', () => swapBack(place, two(), 'x')],
])('%s waits for no dump: that one is void, for it would be of two moments, and the next one is whole', async (what, swap) => {
  if (what === 'an undo') await runSteps(swapIn(place, two(), 'x'))
  const [make, a, b] = dumpMembers(place, 'one', two())
  expect(await statuses([make, a].flatMap((step) => step ?? []))).toEqual(['ok', 'ok'])
  expect(await statuses(swap())).toEqual(['ok', 'changed'])
  const [ended] = await runSteps([b].flatMap((step) => step ?? []))
  expect(ended).toMatchObject({
    status: 'failed',
    output: 'A load changed the data meanwhile, so this would be a dump of two moments. Dump once more',
  })
  expect(await statuses(dumpMembers(place, 'one', two()))).toEqual(['ok', 'ok', 'ok'])
})

it('a load is undone, and the undo as well', async () => {
  await runSteps(swapIn(place, two(), 'x'))
  expect(await statuses(swapBack(place, two(), 'an undo of x'))).toEqual(['ok', 'changed'])
  expect([await read('live'), await read('former'), await loaded()]).toMatchObject([
    ['old', 'old'],
    ['new', 'new'],
    { what: 'an undo of x' },
  ])
  await runSteps(swapBack(place, two(), 'x'))
  expect([await read('live'), await read('former')]).toEqual([
    ['new', 'new'],
    ['old', 'old'],
  ])
  expect(await statuses([...forgetFormer(place, two()), ...discard(place, undefined, two())])).toEqual(['ok', 'ok'])
  expect([(await readdir(home)).toSorted(), await loaded()]).toEqual([['a.live', 'b.live', 'dump'], undefined])
})
