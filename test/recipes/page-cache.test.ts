import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sideMark, takeCacheSide } from '../../recipes/page-cache.js'
import { runSteps } from '../rig/run-steps.js'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kraft-sides-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const generation = (id: string) => join(home, 'releases', id, '.kraft', id)

/** Prepares a generation and tells whether it is on side b. */
async function prepare(id: string): Promise<boolean> {
  mkdirSync(generation(id), { recursive: true })
  const place = { name: 'kraft-no-such-instance', home }
  const ended = await runSteps(takeCacheSide({ place, id, generation: id }, { '/': { nginx: 60 } }))
  expect(ended.map(({ status }) => status)).toEqual(['ok'])
  return existsSync(join(generation(id), sideMark))
}

function serve(id: string) {
  rmSync(join(home, 'current'), { force: true })
  symlinkSync(id, join(home, 'releases', id, '.kraft/live'))
  symlinkSync(`releases/${id}`, join(home, 'current'))
}

it('a generation never has the side of the one that serves, however many failed before it', async () => {
  expect(await prepare('1')).toBe(false)
  serve('1')
  expect(await prepare('2')).toBe(true)
  expect(await prepare('3')).toBe(true)
  serve('3')
  expect(await prepare('4')).toBe(false)
})

it('nothing is prepared where nginx keeps nothing', () => {
  expect(takeCacheSide({ place: { name: 'shop', home }, id: '1', generation: '1' }, { '/': { browser: 60 } })).toEqual([])
})
