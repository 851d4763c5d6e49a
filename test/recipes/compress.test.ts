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
    write(collected('1', 'a/site file.css'), text('one'), 100)
    write(collected('1', '-odd.js'), text('two'))
    write(collected('1', 'tiny.css'), 'a {}')
    write(collected('1', 'photo.jpg'), text('c'))
    await compress('1')
    expect(gunzipSync(readFileSync(collected('1', 'a/site file.css.gz'))).toString()).toBe(text('one'))
    expect(gunzipSync(readFileSync(collected('1', '-odd.js.gz'))).toString()).toBe(text('two'))
    expect(statSync(collected('1', 'a/site file.css.gz')).mtimeMs).toBe(statSync(collected('1', 'a/site file.css')).mtimeMs)
    for (const path of ['tiny.css.gz', 'photo.jpg.gz']) expect(existsSync(collected('1', path)), path).toBe(false)
  })

  it('keep a twin that they came with, unless it is older', async () => {
    write(collected('1', 'new.css'), text('new'), 50)
    write(collected('1', 'new.css.gz'), gzipSync('mine'))
    write(collected('1', 'old.css'), text('old'))
    write(collected('1', 'old.css.gz'), gzipSync('mine'), 50)
    await compress('1')
    expect(gunzipSync(readFileSync(collected('1', 'new.css.gz'))).toString()).toBe('mine')
    expect(gunzipSync(readFileSync(collected('1', 'old.css.gz'))).toString()).toBe(text('old'))
  })

  it('of the package are compressed beside what was collected, which stands before them', async () => {
    const folder = 'src/shop/static'
    write(inRelease('1', `${folder}/site.css`), text('package'), 100)
    write(inRelease('1', `${folder}/site.css.gz`), gzipSync('mine'), 100)
    write(inRelease('1', `${folder}/both.css`), text('package'))
    write(inRelease('1', `${folder}/photo.jpg`), text('photo'))
    write(collected('1', 'both.css'), text('collected'))
    await compress('1', folder)
    expect(readFileSync(collected('1', 'site.css'), 'utf8')).toBe(text('package'))
    expect(statSync(collected('1', 'site.css')).mtimeMs).toBe(statSync(inRelease('1', `${folder}/site.css`)).mtimeMs)
    expect(gunzipSync(readFileSync(collected('1', 'site.css.gz'))).toString()).toBe('mine')
    expect(gunzipSync(readFileSync(collected('1', 'both.css.gz'))).toString()).toBe(text('collected'))
    expect(existsSync(collected('1', 'photo.jpg'))).toBe(false)
    expect(existsSync(inRelease('1', `${folder}/both.css.gz`))).toBe(false)
  })

  it('that the former release has too are taken from it, with their time', async () => {
    write(collected('1', 'a/same.css'), text('same'), 1000)
    write(collected('1', 'a/same.css.gz'), 'compressed before', 1000)
    write(collected('1', 'photo.jpg'), 'photo', 1000)
    write(collected('1', 'changed.css'), text('one'), 1000)
    write(collected('1', 'changed.css.gz'), 'of another content', 1000)
    serve('1')
    write(collected('2', 'a/same.css'), text('same'))
    write(collected('2', 'photo.jpg'), 'photo')
    write(collected('2', 'changed.css'), text('two'))
    await compress('2')
    expect(readFileSync(collected('2', 'a/same.css.gz'), 'utf8')).toBe('compressed before')
    for (const path of ['a/same.css', 'photo.jpg']) {
      expect(statSync(collected('2', path)).mtimeMs, path).toBe(statSync(collected('1', path)).mtimeMs)
    }
    expect(gunzipSync(readFileSync(collected('2', 'changed.css.gz'))).toString()).toBe(text('two'))
    // Copies, never the same file.
    expect(statSync(collected('2', 'a/same.css.gz')).nlink).toBe(1)
  })

  it('need not be there', async () => {
    await compress('1', 'shop/static')
    expect(existsSync(collected('1', ''))).toBe(true)
  })
})
