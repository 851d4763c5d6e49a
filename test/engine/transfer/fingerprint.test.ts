import { lutimesSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { fingerprint } from '../../../engine/transfer/fingerprint.js'
import { sha256 } from '../../../engine/transfer/manifest.js'
import { failureOf } from '../../rig/failure.js'
import { freshHome } from '../../rig/home.js'

const home = freshHome()
let memory: string
const at = (path: string) => join(home.project, path)
const put = (path: string, text: string) => {
  mkdirSync(dirname(at(path)), { recursive: true })
  writeFileSync(at(path), text)
}
const read = (...paths: string[]) =>
  fingerprint(
    home.project,
    paths.map((path) => ({ path, type: 'file' })),
    memory,
  )
const remembered = (): Record<string, [string, string]> => JSON.parse(readFileSync(memory, 'utf8')).files
/** As if the memory said something else, to see whether it is asked. */
const pretend = (path: string, hash: string) => {
  const kept = JSON.parse(readFileSync(memory, 'utf8'))
  kept.files[path][1] = hash
  writeFileSync(memory, JSON.stringify(kept))
}
/** Beyond the time in which two changes can look like one. */
const settle = () => pause(2100)

beforeEach(() => {
  memory = join(home.home, 'cache/hashes/x.json')
})

describe('hashes of a tree', () => {
  test('are those of bytes, of the targets of links, and of nothing', async () => {
    put('a.py', 'a')
    symlinkSync('a.py', at('link'))
    mkdirSync(at('empty'))
    expect(await read('a.py', 'link', 'empty', 'gone')).toEqual([
      { path: 'a.py', kind: 'file', hash: sha256('a'), size: 1 },
      { path: 'link', kind: 'link', hash: sha256('a.py'), size: 0 },
      { path: 'empty', kind: 'folder', hash: sha256(''), size: 0 },
    ])
  })

  test('are those of a large file as well', async () => {
    put('large', 'x'.repeat(3_000_000))
    expect((await read('large'))[0]?.hash).toBe(sha256('x'.repeat(3_000_000)))
  })

  test('are not read again where nothing changed, and forgotten with their file', async () => {
    put('a', 'a')
    put('b', 'b')
    await settle()
    await read('a', 'b')
    pretend('a', 'remembered')
    expect((await read('a')).map(({ hash }) => hash)).toEqual(['remembered'])
    expect(Object.keys(remembered())).toEqual(['a'])
  })

  test('of a file that changed a moment ago are not relied on: it can change again and look the same', async () => {
    put('a', 'one')
    const { mtime, atime } = statSync(at('a'))
    expect((await read('a'))[0]?.hash).toBe(sha256('one'))
    expect(Object.keys(remembered())).toEqual([])
    put('a', 'two')
    utimesSync(at('a'), atime, mtime)
    expect((await read('a'))[0]?.hash).toBe(sha256('two'))
  })

  test('of writes that follow each other as fast as can be are never those of an earlier one', async () => {
    for (let round = 0; round < 200; round++) {
      const text = String(round).padStart(4, '0')
      put('a', text)
      expect((await read('a'))[0]?.hash).toBe(sha256(text))
    }
  })

  test('are read again where size and time of change were put back', async () => {
    put('a', 'one')
    const { atime, mtime } = statSync(at('a'))
    await settle()
    await read('a')
    expect(remembered()).toHaveProperty('a')
    put('a', 'two')
    utimesSync(at('a'), atime, mtime)
    expect((await read('a'))[0]?.hash).toBe(sha256('two'))
  })

  test('are read again where the memory is damaged or of another version', async () => {
    put('a', 'one')
    for (const text of ['', '{', '[]', 'null', '{"version":0,"files":{"a":["x","y"]}}', '{"version":1,"files":3}']) {
      mkdirSync(dirname(memory), { recursive: true })
      writeFileSync(memory, text)
      expect((await read('a'))[0]?.hash).toBe(sha256('one'))
    }
  })

  test('come without a memory where none can be written', async () => {
    put('a', 'one')
    put('file', '')
    memory = at('file/x.json')
    expect((await read('a'))[0]?.hash).toBe(sha256('one'))
  })

  test('fail by the name of a file that can be read by nobody', async () => {
    mkdirSync(at('a'))
    put('b', 'x')
    rmSync(at('b'))
    symlinkSync('/proc/self/mem', at('b'))
    lutimesSync(at('b'), 1, 1)
    expect((await read('b'))[0]?.kind).toBe('link')
    const unreadable = fingerprint('/proc/self', [{ path: 'mem', type: 'file' }])
    expect(await failureOf(unreadable)).toMatchObject({ kind: 'task', next: expect.stringContaining('.kraftignore') })
  })
})
