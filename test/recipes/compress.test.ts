import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compressStatic } from '../../recipes/compress.js'
import { runSteps } from '../rig/run-steps.js'

// The script of the node, run here by whoever runs the tests.
let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kraft-compress-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

// Of a time to come: no file is newer.
const [first, second] = ['20300101-000000', '20300102-000000']
const text = (word: string) => `${word}\n`.repeat(500)
const inRelease = (id: string, path: string) => join(home, 'releases', id, path)
const collected = (id: string, path: string) => inRelease(id, `.kraft/public/static/${path}`)

function write(path: string, content: string | Buffer, age = 0) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  const time = Math.floor(Date.now() / 1000) - age
  utimesSync(path, time, time)
}

async function compress(id: string, folder?: string) {
  mkdirSync(collected(id, ''), { recursive: true })
  const steps = compressStatic({ place: { name: 'shop', home }, id, generation: id }, folder)
  const own = steps.filter(({ title }) => title === 'Compress static files').map(({ as: _builder, ...step }) => step)
  const ended = await runSteps(own)
  expect(ended.map(({ status, output }) => [status, output])).toEqual([['ok', '']])
}

function serve(id: string) {
  rmSync(join(home, 'current'), { force: true })
  symlinkSync(`releases/${id}`, join(home, 'current'))
}

describe('static files', () => {
  it('of text that are not tiny get a twin of the same time', async () => {
    write(collected(first, 'a/site file.css'), text('one'), 100)
    write(collected(first, '-odd.js'), text('two'))
    write(collected(first, 'tiny.css'), 'a {}')
    write(collected(first, 'photo.jpg'), text('c'))
    await compress(first)
    expect(gunzipSync(readFileSync(collected(first, 'a/site file.css.gz'))).toString()).toBe(text('one'))
    expect(gunzipSync(readFileSync(collected(first, '-odd.js.gz'))).toString()).toBe(text('two'))
    expect(statSync(collected(first, 'a/site file.css.gz')).mtimeMs).toBe(statSync(collected(first, 'a/site file.css')).mtimeMs)
    for (const path of ['tiny.css.gz', 'photo.jpg.gz']) expect(existsSync(collected(first, path)), path).toBe(false)
  })

  it('keep a twin that they came with, unless it is older', async () => {
    write(collected(first, 'new.css'), text('new'), 50)
    write(collected(first, 'new.css.gz'), gzipSync('mine'))
    write(collected(first, 'old.css'), text('old'))
    write(collected(first, 'old.css.gz'), gzipSync('mine'), 50)
    await compress(first)
    expect(gunzipSync(readFileSync(collected(first, 'new.css.gz'))).toString()).toBe('mine')
    expect(gunzipSync(readFileSync(collected(first, 'old.css.gz'))).toString()).toBe(text('old'))
  })

  it('of the package are compressed beside what was collected, which stands before them', async () => {
    const folder = 'src/shop/static'
    write(inRelease(first, `${folder}/site.css`), text('package'), 100)
    write(inRelease(first, `${folder}/site.css.gz`), gzipSync('mine'), 100)
    write(inRelease(first, `${folder}/both.css`), text('package'))
    write(inRelease(first, `${folder}/photo.jpg`), text('photo'))
    write(collected(first, 'both.css'), text('collected'))
    await compress(first, folder)
    expect(readFileSync(collected(first, 'site.css'), 'utf8')).toBe(text('package'))
    expect(statSync(collected(first, 'site.css')).mtimeMs).toBe(statSync(inRelease(first, `${folder}/site.css`)).mtimeMs)
    expect(gunzipSync(readFileSync(collected(first, 'site.css.gz'))).toString()).toBe('mine')
    expect(gunzipSync(readFileSync(collected(first, 'both.css.gz'))).toString()).toBe(text('collected'))
    expect(existsSync(collected(first, 'photo.jpg'))).toBe(false)
    expect(existsSync(inRelease(first, `${folder}/both.css.gz`))).toBe(false)
  })

  it('that the former release has too are taken from it, with their time', async () => {
    write(collected(first, 'a/same.css'), text('same'), 1000)
    write(collected(first, 'a/same.css.gz'), 'compressed before', 1000)
    write(collected(first, 'photo.jpg'), 'photo', 1000)
    write(collected(first, 'changed.css'), text('one'), 1000)
    write(collected(first, 'changed.css.gz'), 'of another content', 1000)
    serve(first)
    write(collected(second, 'a/same.css'), text('same'))
    write(collected(second, 'photo.jpg'), 'photo')
    write(collected(second, 'changed.css'), text('two'))
    await compress(second)
    expect(readFileSync(collected(second, 'a/same.css.gz'), 'utf8')).toBe('compressed before')
    for (const path of ['a/same.css', 'photo.jpg']) {
      expect(statSync(collected(second, path)).mtimeMs, path).toBe(statSync(collected(first, path)).mtimeMs)
    }
    expect(gunzipSync(readFileSync(collected(second, 'changed.css.gz'))).toString()).toBe(text('two'))
    // Copies, never the same file.
    expect(statSync(collected(second, 'a/same.css.gz')).nlink).toBe(1)
  })

  it('that were made just now have the time of the release, which all nodes share', async () => {
    write(collected('20200102-030405', 'site.css'), text('one'))
    write(collected('20200102-030405', 'older.css'), text('two'), 400 * 24 * 3600 * 20)
    await compress('20200102-030405')
    for (const path of ['site.css', 'site.css.gz']) {
      expect(statSync(collected('20200102-030405', path)).mtime.toISOString(), path).toBe('2020-01-02T03:04:05.000Z')
    }
    expect(statSync(collected('20200102-030405', 'older.css')).mtime.getFullYear()).toBeLessThan(2020)
  })

  it('need not be there', async () => {
    await compress(first, 'shop/static')
    expect(existsSync(collected(first, ''))).toBe(true)
  })
})
