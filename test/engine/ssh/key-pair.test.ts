import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'vitest'
import { program } from '../../rig/program.js'

test('keys are made also where memory is tidied up all the time', async () => {
  const { file, remove } = await program(new URL('key-pair.fixture.ts', import.meta.url).pathname, ['engine/ssh'])
  try {
    // Node.js 20 stood still with about every fifth such number, as long as a key was exported once it was made.
    const numbers = Array.from({ length: 12 }, (_, index) => 41 + 6 * index)
    const run = promisify(execFile)
    await Promise.all(numbers.map((number) => run(process.execPath, [`--gc-interval=${number}`, file], { timeout: 50_000 })))
  } finally {
    await remove()
  }
})
