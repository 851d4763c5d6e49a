import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../engine/ssh/connect.js'
import type { Connection } from '../../engine/ssh/connection.js'
import { fetchTree } from '../../engine/transfer/fetch.js'
import { fingerprint } from '../../engine/transfer/fingerprint.js'
import { Manifest } from '../../engine/transfer/manifest.js'
import { projectFiles } from '../../project/files.js'
import { listInstalled, packRelease, readInstalled } from '../../recipes/promotion.js'
import { failureOf } from '../rig/failure.js'
import { type Sshd, startSshd } from '../rig/sshd.js'

// The scripts of the node, over a real connection to this machine.
let sshd: Sshd
let connection: Connection
let folder: string
const place = () => ({ name: 'root', home: join(folder, 'web') })
const release = (path: string) => join(folder, 'web/releases/1', path)

function put(path: string, text = '', mode = 0o640): void {
  mkdirSync(dirname(release(path)), { recursive: true })
  writeFileSync(release(path), text)
  chmodSync(release(path), mode)
}

beforeAll(async () => {
  sshd = await startSshd()
  connection = connect({ record: sshd.record, configFile: sshd.configFile })
  folder = mkdtempSync(join(tmpdir(), 'kraft-promotion-'))
}, 60_000)
afterAll(async () => {
  await connection?.close()
  await sshd?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const fetched = async (id: string, to: string) => {
  mkdirSync(join(folder, to))
  await fetchTree(connection, packRelease(place(), id).text, join(folder, to))
  return Manifest.of(await fingerprint(join(folder, to), (await projectFiles(join(folder, to))).entries))
}

test('what comes here is what was uploaded, and nothing that was added since', async () => {
  put('app/models.py', 'x = 1\n')
  put('bin/run', '#!/bin/sh\n', 0o750)
  for (const odd of ['-C', 'a b', 'new\nline', 'ü', '@x', '--checkpoint=1']) put(`odd/${odd}`, odd)
  mkdirSync(release('empty'))
  symlinkSync('/etc/hostname', release('outside'))
  const uploaded = Manifest.of(await fingerprint(release(''), (await projectFiles(release(''))).entries))
  put('.kraft/manifest', uploaded.text)
  put('.kraft/public/static/site.css', 'built')
  put('app/__pycache__/models.pyc', 'compiled')
  put('added.txt', 'by a hook')
  expect((await fetched('1', 'whole')).records).toEqual(uploaded.records)

  rmSync(release('bin/run'))
  put('app/models.py', 'x = 2\n')
  const now = await fetched('1', 'less')
  const missing = uploaded.records.filter((each) => !now.records.includes(each)).map((each) => each.slice(68))
  expect(missing.sort()).toEqual(['app/models.py', 'bin/run'])
})

test('a release that is not there is an error of the node', async () => {
  expect(await failureOf(fetched('2', 'none'))).toMatchObject({ kind: 'command', said: 'one: send data: ended with code 1' })
})

test('what is installed in a virtualenv is told as constraints, without running any of it', () => {
  const packages = release('.kraft/venv/lib/python3.11/site-packages')
  mkdirSync(packages, { recursive: true })
  const installed = [
    'Django-5.2.dist-info',
    'psycopg_binary-3.2.1.dist-info',
    'torch-2.0.1+cpu.dist-info',
    'old-1.0-py3.11.egg-info',
  ]
  for (const each of [...installed, 'django', 'local.egg-info']) mkdirSync(join(packages, each))
  const said = execFileSync('sh', ['-c', listInstalled(place(), '1').text], { encoding: 'utf8' })
  expect(readInstalled(said)).toEqual(['Django==5.2', 'old==1.0', 'psycopg_binary==3.2.1', 'torch==2.0.1+cpu'])
})
