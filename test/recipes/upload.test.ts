import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../engine/ssh/connect.js'
import type { Connection } from '../../engine/ssh/connection.js'
import { difference, type Shipment } from '../../engine/transfer/difference.js'
import { fingerprint } from '../../engine/transfer/fingerprint.js'
import { rememberManifest } from '../../engine/transfer/manifest-cache.js'
import { sendStream } from '../../engine/transfer/send.js'
import { askHeld, isDiffering, sendShipment } from '../../engine/transfer/upload.js'
import { projectFiles } from '../../project/files.js'
import { incoming, type Release } from '../../recipes/release.js'
import { assembleRelease, heldReleases } from '../../recipes/upload.js'
import { failureOf } from '../rig/failure.js'
import { type Sshd, startSshd } from '../rig/sshd.js'

// The scripts of the node, over a real connection to this machine; root and its group are the instance's.
let sshd: Sshd
let connection: Connection
let folder: string
let project: string
let home: string
let cache: string
const place = () => ({ name: 'root', home })

beforeAll(async () => {
  sshd = await startSshd()
  connection = connect({ record: sshd.record, configFile: sshd.configFile })
})
afterAll(async () => {
  await connection?.close()
  await sshd?.stop()
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kraft-upload-'))
  project = join(folder, 'project')
  home = join(folder, 'web')
  cache = join(folder, 'cache')
  mkdirSync(join(home, 'releases'), { recursive: true })
  mkdirSync(project)
  return () => rmSync(folder, { recursive: true, force: true })
}, 60_000)

const release = (id: string): Release => ({ place: place() as Release['place'], id, generation: id })

function put(path: string, text: string | Buffer = '', mode = 0o644): void {
  mkdirSync(dirname(join(project, path)), { recursive: true })
  writeFileSync(join(project, path), text)
  chmodSync(join(project, path), mode)
}

const ask = () => askHeld(connection, heldReleases(release('').place).text, cache)
const read = async () => fingerprint(project, (await projectFiles(project)).entries)

/** Sends the project as it is and has it serve; returns what that took. */
async function deploy(id: string): Promise<Shipment & { readonly sent: number }> {
  const shipment = difference(await read(), await ask())
  const sent = await sendShipment(connection, project, shipment, assembleRelease(release(id)).text)
  await rememberManifest(cache, shipment.manifest)
  serve(id)
  return { ...shipment, sent }
}

function serve(id: string): void {
  renameSync(incoming(release(id)), join(home, 'releases', id))
  writeFileSync(join(home, 'releases', id, '.kraft/served'), '')
  rmSync(join(home, 'current'), { force: true })
  symlinkSync(`releases/${id}`, join(home, 'current'))
}

/** All of a tree but what kraft adds: each path with its mode and content. */
function contents(root: string, kraft = false): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  const visit = (at: string) => {
    for (const name of readdirSync(join(root, at))) {
      const path = join(at, name)
      if (path === '.kraft' && !kraft) continue
      const stats = lstatSync(join(root, path))
      if (stats.isDirectory()) visit(path)
      const mode = (stats.mode & 0o7777).toString(8)
      found[path] = stats.isSymbolicLink()
        ? `-> ${readlinkSync(join(root, path))}`
        : stats.isDirectory()
          ? `${mode} folder`
          : `${mode} ${readFileSync(join(root, path), 'latin1')}`
    }
  }
  visit('')
  return found
}
const onNode = (id: string) => contents(join(home, 'releases', id))

describe('a release', () => {
  test('is what the project is: links, empty folders, programs, and names of any kind', async () => {
    put('app/models.py', 'x = 1\n')
    put('bin/run', '#!/bin/sh\n', 0o755)
    put('own.env', 'a=1', 0o600)
    put('setuid', '', 0o4755)
    const odd = ['-rf', 'a b', 'new\nline', 'back\\slash', "it's", '$(id)', 'ü€😀', '*', '\r', '~', '#x', ' ', '\t', '-C', '@x']
    for (const name of odd) put(`odd/${name}`, name)
    mkdirSync(join(project, 'media/empty'), { recursive: true })
    symlinkSync('models.py', join(project, 'app/link.py'))
    symlinkSync('/etc/hostname', join(project, 'outside'))
    symlinkSync('nowhere', join(project, 'broken\nlink'))
    symlinkSync('app', join(project, 'folder'))
    await deploy('1')
    expect(onNode('1')).toEqual({
      app: '750 folder',
      'app/link.py': '-> models.py',
      'app/models.py': '640 x = 1\n',
      bin: '750 folder',
      'bin/run': '750 #!/bin/sh\n',
      'broken\nlink': '-> nowhere',
      folder: '-> app',
      media: '750 folder',
      'media/empty': '750 folder',
      odd: '750 folder',
      ...Object.fromEntries(odd.map((name) => [`odd/${name}`, `640 ${Buffer.from(name).toString('latin1')}`])),
      outside: '-> /etc/hostname',
      'own.env': '640 a=1',
      setuid: '750 ',
    })
    // The same again, from what the node has.
    const again = await deploy('2')
    expect(again).toMatchObject({ base: '1', files: 0, bytes: 0 })
    expect(onNode('2')).toEqual(onNode('1'))
  })

  test('may be empty', async () => {
    await deploy('1')
    expect(onNode('1')).toEqual({})
    put('a', 'a')
    expect(await deploy('2')).toMatchObject({ files: 1 })
    rmSync(join(project, 'a'))
    expect(await deploy('3')).toMatchObject({ files: 0 })
    expect(onNode('3')).toEqual({})
  })

  test('keeps the times of files, so that a browser keeps what did not change', async () => {
    put('a.css', 'a')
    utimesSync(join(project, 'a.css'), 1e9, 1e9)
    await deploy('1')
    await deploy('2')
    expect(lstatSync(join(home, 'releases/2/a.css')).mtimeMs).toBe(1e12)
  })
})

describe('what is sent', () => {
  const big = randomBytes(200_000)

  beforeEach(() => {
    put('big.bin', big)
    put('app/a.py', 'a')
    put('app/b.py', 'b')
  })

  test('is only what changed', async () => {
    expect((await deploy('1')).sent).toBeGreaterThan(100_000)
    put('app/b.py', 'changed')
    const second = await deploy('2')
    expect(second).toMatchObject({ files: 1, bytes: 7, base: '1' })
    expect(second.sent).toBeLessThan(1000)
    expect(onNode('2')).toMatchObject({ 'app/b.py': '640 changed', 'app/a.py': '640 a' })
  })

  test('are no bytes for a new name, a new mode or a way back', async () => {
    await deploy('1')
    renameSync(join(project, 'big.bin'), join(project, 'app/moved.bin'))
    chmodSync(join(project, 'app/a.py'), 0o755)
    expect(await deploy('2')).toMatchObject({ files: 0, bytes: 0 })
    expect(onNode('2')['app/a.py']).toBe('750 a')
    expect(Object.keys(onNode('2'))).not.toContain('big.bin')
    rmSync(join(project, 'app'), { recursive: true })
    put('only', '')
    await deploy('3')
    put('back/big.bin', big)
    expect(await deploy('4')).toMatchObject({ files: 0, bytes: 0 })
    expect(onNode('4')['back/big.bin']).toHaveLength(big.length + 4)
  })

  test('is little for another machine, which the node tells what it has', async () => {
    await deploy('1')
    rmSync(cache, { recursive: true })
    put('app/a.py', 'other')
    expect(await deploy('2')).toMatchObject({ files: 1, base: '1' })
  })

  test('is what the node has no more, or has otherwise', async () => {
    await deploy('1')
    writeFileSync(join(home, 'releases/1/app/a.py'), 'A')
    rmSync(join(home, 'releases/1/big.bin'))
    mkdirSync(join(home, 'releases/1/big.bin'))
    const damaged = difference(await read(), await ask())
    expect(damaged).toMatchObject({ files: 1, base: '1' })
    // That a file is gone only shows when the release is put together: then nothing stays, and all of it is sent.
    const failure = await sendShipment(connection, project, damaged, assembleRelease(release('2')).text).catch((error) => error)
    expect(isDiffering(failure)).toBe(true)
    expect(existsSync(incoming(release('2')))).toBe(false)
    await sendShipment(connection, project, difference(await read(), []), assembleRelease(release('2')).text)
    serve('2')
    expect(onNode('2')).toMatchObject({ 'app/a.py': '640 a', 'app/b.py': '640 b' })
  })

  test('never comes from a release that has not served', async () => {
    await deploy('1')
    rmSync(join(home, 'releases/1/.kraft/served'))
    expect(await ask()).toEqual([])
  })

  test('is refused where a file is another one than it was when it was hashed', async () => {
    const shipment = difference(await read(), [])
    put('app/a.py', 'X')
    const failure = await sendShipment(connection, project, shipment, assembleRelease(release('1')).text).catch((error) => error)
    expect(isDiffering(failure)).toBe(true)
    expect(existsSync(incoming(release('1')))).toBe(false)
  })
})

test('whatever is done to the files of a release, an earlier one keeps its bytes, modes, owners and times', async () => {
  const ways: Readonly<Record<string, (path: string) => void>> = {
    append: (path) => appendFileSync(path, 'more'),
    truncate: (path) => truncateSync(path, 0),
    overwrite: (path) => writeFileSync(path, 'other'),
    mode: (path) => chmodSync(path, 0o777),
    owner: (path) => execFileSync('chown', ['1:1', path]),
    times: (path) => utimesSync(path, 1, 1),
    rename: (path) => {
      writeFileSync(`${path}.new`, 'renamed over')
      renameSync(`${path}.new`, path)
    },
    remove: (path) => rmSync(path),
  }
  const kinds = ['same', 'moved', 'mode-changed']
  const files = Object.keys(ways).flatMap((way) => kinds.map((kind) => `${kind}/${way}`))
  for (const path of files) put(path, `content of ${path}`)
  await deploy('1')
  renameSync(join(project, 'moved'), join(project, 'elsewhere'))
  for (const way of Object.keys(ways)) chmodSync(join(project, 'mode-changed', way), 0o755)
  const second = await deploy('2')
  expect(second).toMatchObject({ files: 0, base: '1' })
  const state = () =>
    files.map((path) => ({
      path,
      ...lstatSync(join(home, 'releases/1', path)),
      atimeMs: 0,
      atime: 0,
      content: readFileSync(join(home, 'releases/1', path), 'utf8'),
    }))
  const before = state()
  expect(before.every(({ nlink }) => nlink === 1)).toBe(true)
  for (const [way, change] of Object.entries(ways)) {
    for (const kind of ['same', 'elsewhere', 'mode-changed']) change(join(home, 'releases/2', kind, way))
  }
  expect(state()).toEqual(before)
  // And the next deploy takes nothing from what was altered.
  rmSync(join(home, 'releases/1'), { recursive: true })
  const third = difference(await read(), await ask())
  expect(third.files).toBeGreaterThan(15)
})

test('an upload that is cut in the middle leaves nothing, and the next one succeeds', async () => {
  for (let index = 0; index < 40; index++) put(`data/${index}`, randomBytes(200_000))
  const shipment = difference(await read(), [])
  const own = connect({ record: sshd.record, configFile: sshd.configFile })
  let packed = 0
  const cut = sendShipment(own, project, shipment, assembleRelease(release('1')).text, (bytes) => {
    packed += bytes
    if (packed > 5_000_000 && packed - bytes <= 5_000_000) void own.close()
  })
  await failureOf(cut)
  await expect.poll(() => readdirSync(join(home, 'releases')), { timeout: 10_000 }).toEqual([])
  await deploy('1')
  expect(Object.keys(onNode('1'))).toHaveLength(41)
})

test('an upload whose end comes late is waited for', async () => {
  put('a', 'first')
  const shipment = difference(await read(), [])
  await sendShipment(connection, project, shipment, `cat >${join(folder, 'bytes')}`)
  const bytes = readFileSync(join(folder, 'bytes'))
  const late = async function* () {
    yield bytes
    await pause(1000)
  }
  const sent = await sendStream(connection, () => Readable.from(late()), assembleRelease(release('1')).text)
  expect(sent).toBe(bytes.length)
  expect(contents(incoming(release('1')))).toEqual({ a: '640 first' })
})

test('without tar on this machine an upload says so, and does not hang', async () => {
  put('a', 'a')
  const shipment = difference(await read(), [])
  const path = process.env.PATH
  process.env.PATH = '/nowhere'
  try {
    const failure = await failureOf(sendShipment(connection, project, shipment, assembleRelease(release('1')).text))
    expect(failure).toMatchObject({ kind: 'task', said: expect.stringContaining('could not be packed') })
  } finally {
    process.env.PATH = path
  }
  await expect.poll(() => readdirSync(join(home, 'releases'))).toEqual([])
})

test('of 2,000 files of which one changed a few hundred bytes are sent', async () => {
  for (let index = 0; index < 2000; index++) put(`${index % 50}/${Math.floor(index / 50)}.py`, `value = ${index}\n`.repeat(20))
  const first = await deploy('1')
  expect(first.files).toBe(2000)
  put('5/5.py', 'changed\n')
  const second = await deploy('2')
  expect(second).toMatchObject({ files: 1, bytes: 8 })
  expect(second.sent).toBeLessThan(1000)
  expect(Object.keys(onNode('2'))).toHaveLength(2050)
}, 120_000)
