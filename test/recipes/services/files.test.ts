import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

const dump = () => {
  const steps = service.data === undefined ? [] : dumpMembers({ name: 'shop', home }, 'one', [{ service, data: service.data }])
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
