import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { link, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { dumpMembers } from '../../../recipes/bundle.js'
import { service } from '../../../recipes/services/files.js'
import { runSteps } from '../../rig/run-steps.js'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kraft-files-'))
  await mkdir(join(home, 'dump'))
  await mkdir(join(home, 'uploads'))
  await writeFile(join(home, 'uploads/still'), 'a')
})
afterEach(() => rm(home, { recursive: true, force: true }))

const { data } = service
const place = () => ({ name: 'shop', home })
const dump = () => {
  const steps = data === undefined ? [] : dumpMembers(place(), 'one', [{ service, data }])
  // What is loud is shown also where all goes well.
  expect(steps.at(-1)?.loud).toBe(true)
  return runSteps(steps)
}

it('a file that changes while it is dumped is said, and the dump goes on', async () => {
  const large = join(home, 'uploads/large')
  await writeFile(large, '')
  // Long to read, and it costs no room.
  await truncate(large, 200_000_000)
  const writer = spawn('sh', ['-c', `echo begun; while :; do echo x >>${large}; done`], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(writer.stdout, 'data')
    const ended = await dump()
    expect(ended.map(({ status }) => status)).toEqual(['ok', 'ok'])
    expect(ended[1]?.output).toBe('./large: file changed as we read it')
  } finally {
    writer.kill()
    await once(writer, 'close')
  }
  expect((await dump())[1]?.output).toBe('')
})

const besides = async () => (await promisify(execFile)('sh', ['-ec', data?.countBeside(place()).text ?? ''])).stdout

it('what is counted in a dump is counted in what was loaded of it, whatever names files have', async () => {
  // It is there under a second name, and a visitor may have chosen the third.
  await link(join(home, 'uploads/still'), join(home, 'uploads/again'))
  await writeFile(join(home, 'uploads/two\nlines'), 'bc')
  await dump()
  await mkdir(join(home, '.uploads.beside'))
  await promisify(execFile)('tar', ['-xf', join(home, 'dump/one/files.tar'), '-C', join(home, '.uploads.beside')])
  expect([await readFile(join(home, 'dump/one/files.tar.counts'), 'utf8'), await besides()]).toEqual([
    'files 3\nbytes 4\n',
    'files 3\nbytes 4\n',
  ])
})

it('more than 2 GB are counted byte for byte, whatever awk a node has', async () => {
  await mkdir(join(home, '.uploads.beside'))
  await writeFile(join(home, '.uploads.beside/large'), '')
  await truncate(join(home, '.uploads.beside/large'), 6_000_000_001)
  expect(await besides()).toBe('files 1\nbytes 6000000001\n')
})
