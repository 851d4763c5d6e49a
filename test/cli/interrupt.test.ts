import { copyFile, mkdir, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { writeFiles } from '../rig/cli.js'
import { kraftProgram } from '../rig/kraft.js'
import { type Sshd, startSshd } from '../rig/sshd.js'
import { inTerminal, type Terminal } from '../rig/terminal.js'

let sshd: Sshd
let home: string
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  sshd = await startSshd()
  home = await realpath(await mkdtemp(join(tmpdir(), 'kraft-interrupt-')))
  const { name, ...record } = sshd.record
  await writeFiles(home, {
    '.kraftwerk/nodes.yaml': stringify({ [name]: { ...record, provider: 'local' } }),
    'work/kraftfile.ts': `
      import { existsSync } from 'node:fs'
      import { setTimeout as sleep } from 'node:timers/promises'
      import { task } from 'kraftwerk'
      export const there = task({ run: ({ $ }) => $\`cd \${'${home}'}; echo $$ >pid-there; echo started; sleep 30 & sleep 30\` })
      export const here = task({ on: 'once', run: async ({ local, line }) => {
        const command = local.$\`cd \${'${home}'}; echo $$ >pid-here; sleep 30\`
        command.catch(() => undefined)
        while (!existsSync('${home}/pid-here')) await sleep(20)
        line.output('started')
        await command
      } })
      export const first = task({ on: 'once', run: ({ local }) => {
        return local.$\`sleep 0.5; (sleep 0.1; kill -INT $PPID) >/dev/null 2>&1 </dev/null & kill -INT $$\`
      } })
      export const deaf = task({ run: ({ $ }) => $\`trap '' INT; echo started; sleep 5\` })
    `,
  })
  await copyFile(sshd.identity, join(home, '.kraftwerk/id_ed25519'))
  await mkdir(join(home, 'work/node_modules'))
  await symlink(join(kraftProgram, '../..'), join(home, 'work/node_modules/kraftwerk'))
  const { CI: _ci, SSH_AUTH_SOCK: _agent, ...plain } = process.env
  env = { ...plain, HOME: home, XDG_CACHE_HOME: '', TERM: 'xterm', NO_COLOR: '1' }
})
afterAll(async () => {
  await sshd.stop()
  await rm(home, { recursive: true, force: true })
})

const begun = (...words: string[]): Promise<Terminal> =>
  inTerminal([process.execPath, kraftProgram, ...words], { columns: 80, rows: 24, cwd: join(home, 'work'), env })

async function started(...words: string[]): Promise<Terminal> {
  const terminal = await begun(...words)
  await terminal.sees('started')
  return terminal
}

async function isAlive(pid: string): Promise<boolean> {
  return readFile(`/proc/${pid.trim()}/stat`, 'utf8').then(
    (stat) => !stat.includes(') Z '),
    () => false,
  )
}

describe('Ctrl-C at a terminal', () => {
  it.each([
    ['there', ['there:one']],
    ['here', ['here:one']],
  ])('ends what a kraftfile runs %s, and gives the terminal back', async (place, words) => {
    const terminal = await started(...words)
    const pid = await readFile(join(home, `pid-${place}`), 'utf8')
    expect(await isAlive(pid)).toBe(true)
    terminal.type('\x03')
    expect(await terminal.ended()).toBe(130)
    expect(await isAlive(pid)).toBe(false)
    const screen = terminal.seen()
    expect(stripVTControlCharacters(screen)).toContain('error: Interrupted')
    expect(screen.lastIndexOf('\x1b[?25h')).toBeGreaterThan(screen.lastIndexOf('\x1b[?25l'))
  })

  it('is told as that although a command of this machine has ended of it first', async () => {
    const terminal = await begun('first:one')
    expect(await terminal.ended()).toBe(130)
    expect(stripVTControlCharacters(terminal.seen())).toContain('error: Interrupted')
  })

  it('twice ends kraft at once, although something does not listen', async () => {
    const terminal = await started('deaf:one')
    terminal.type('\x03')
    await sleep(700)
    terminal.type('\x03')
    const typed = performance.now()
    expect(await terminal.ended()).toBe(130)
    expect(performance.now() - typed).toBeLessThan(2500)
    expect(stripVTControlCharacters(terminal.seen())).not.toContain('error:')
  })
})
