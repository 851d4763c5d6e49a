import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { keep, kept } from '../../../engine/files/private-cache.js'
import { freshHome } from '../../rig/home.js'

const home = freshHome()
const file = () => join(home.home, '.kraftwerk', 'cache', 'numbers.json')

it('what was kept is found by the same name and key alone', async () => {
  await keep('numbers', ['text', 1], [1, 2])
  expect(await kept('numbers', ['text', 1])).toEqual([1, 2])
  expect(await kept('numbers', ['text', 2])).toBeUndefined()
  expect(await kept('others', ['text', 1])).toBeUndefined()
  await keep('numbers', ['text', 2], [3])
  expect([await kept('numbers', ['text', 1]), await kept('numbers', ['text', 2])]).toEqual([undefined, [3]])
})

it('what others can write, or what is damaged, is not believed', async () => {
  await keep('numbers', [], 1)
  await chmod(file(), 0o622)
  expect(await kept('numbers', [])).toBeUndefined()
  await chmod(file(), 0o600)
  expect(await kept('numbers', [])).toBe(1)
  await writeFile(file(), (await readFile(file(), 'utf8')).slice(1))
  expect(await kept('numbers', [])).toBeUndefined()
})
