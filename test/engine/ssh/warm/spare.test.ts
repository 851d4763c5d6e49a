import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, vi } from 'vitest'
import { runningRoot } from '../../../../engine/config/own-copy.js'
import { knock } from '../../../../engine/ssh/warm/knock.js'
import { dropSpare, spareHolder, startHolder } from '../../../../engine/ssh/warm/start.js'
import { kraft } from '../../../rig/cli.js'
import { freshHome } from '../../../rig/home.js'

const program = join(runningRoot, 'dist', 'engine/ssh/warm/holder.js')
const home = freshHome()

/** The holders that this process has started and that have not ended. */
async function holders(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,stat=,args=', '--ppid', String(process.pid)])
  return stdout.split('\n').filter((line) => /holder\.js|kraft: keeps/.test(line) && !/^\s*\d+\s+Z/.test(line))
}

it('a holder that was started before is the one that listens; the next one is new', async () => {
  spareHolder(program)
  expect(await holders()).toHaveLength(1)
  const paths = ['one', 'two'].map((name) => join(home.home, `${name}.sock`))
  for (const [index, path] of paths.entries()) {
    await startHolder(program, path)
    const socket = await knock(path)
    expect(socket).toBeDefined()
    socket?.destroy()
    expect(await holders()).toHaveLength(index + 1)
  }
  // Without its socket nobody finds a holder, and it ends.
  await Promise.all(paths.map((path) => promisify(execFile)('rm', [path])))
  await vi.waitFor(async () => expect(await holders()).toEqual([]), { timeout: 15_000, interval: 200 })
})

it('one that nobody needs ends', async () => {
  spareHolder(program)
  dropSpare()
  await vi.waitFor(async () => expect(await holders()).toEqual([]), { timeout: 15_000, interval: 200 })
})

it('one that was killed before it was needed is replaced', async () => {
  spareHolder(program)
  const [line = ''] = await holders()
  process.kill(Number.parseInt(line, 10), 'SIGKILL')
  await vi.waitFor(async () => expect(await holders()).toEqual([]), { timeout: 15_000, interval: 50 })
  const path = join(home.home, 'three.sock')
  await startHolder(program, path)
  ;(await knock(path))?.destroy()
  await promisify(execFile)('rm', [path])
  await vi.waitFor(async () => expect(await holders()).toEqual([]), { timeout: 15_000, interval: 200 })
})

/** The processes whose home is this test's. */
async function atHome(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      return environment.split('\0').includes(`HOME=${home.home}`) ? [pid] : []
    }),
  )
  return found.flat()
}

it('a command that fails before it connects, or connects by itself, leaves nothing behind', async () => {
  await mkdir(join(home.home, '.kraftwerk', 'warm'), { recursive: true, mode: 0o700 })
  for (const word of ['nothing:one', 'run:one', 'deploy:one'])
    expect((await kraft([word, '--', 'true'], { cwd: home.home, env: { HOME: home.home } })).code).not.toBe(0)
  await vi.waitFor(async () => expect(await atHome()).toEqual([]), { timeout: 15_000, interval: 200 })
})
