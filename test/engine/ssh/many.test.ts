import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Program, program } from '../../rig/program.js'
import { startSshd } from '../../rig/sshd.js'

let many: Program
beforeAll(async () => {
  many = await program(fileURLToPath(new URL('many.fixture.ts', import.meta.url)), ['engine'])
}, 60_000)
afterAll(() => many.remove())

it('connects to 100 destinations at once, in three programs, where sshd turns some away', { timeout: 120_000 }, async () => {
  const sshd = await startSshd(['MaxStartups 10:30:100', 'LoginGraceTime 20'])
  try {
    const each = async (count: number): Promise<{ readonly answered: number; readonly errors: readonly string[] }> => {
      const words = [many.file, JSON.stringify(sshd.record), sshd.configFile, String(count)]
      const { stdout } = await promisify(execFile)(process.execPath, words, { env: { ...process.env, HOME: sshd.folder } })
      return JSON.parse(stdout)
    }
    const ended = await Promise.all([each(34), each(33), each(33)])
    expect(ended).toEqual([34, 33, 33].map((answered) => ({ answered, errors: [] })))
    // Else nobody was turned away, and nothing was shown.
    expect(await sshd.log()).toMatch(/MaxStartups|drop connection/)
  } finally {
    await sshd.stop()
  }
})
