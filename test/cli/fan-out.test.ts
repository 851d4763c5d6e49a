import { spawn } from 'node:child_process'
import { copyFile, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { kraft, writeFiles } from '../rig/cli.js'
import { call, kraftProgram } from '../rig/kraft.js'
import { freePort, type Sshd, startSshd } from '../rig/sshd.js'
import { inTerminal } from '../rig/terminal.js'

// One sshd under several names: to kraft they are nodes like any other.
let sshd: Sshd
let home: string
const env: Record<string, string> = {}

beforeAll(async () => {
  sshd = await startSshd(['MaxStartups 100'])
  home = await realpath(await mkdtemp(join(tmpdir(), 'kraft-fan-out-')))
  const { name: _, ...record } = { ...sshd.record, provider: 'local' }
  const nodes = { web1: record, web2: record, database: record }
  await writeFiles(home, {
    '.kraftwerk/nodes.yaml': stringify(nodes),
    'broken/.kraftwerk/nodes.yaml': stringify({ ...nodes, gone: { ...record, port: await freePort() } }),
  })
  for (const folder of ['.kraftwerk', 'broken/.kraftwerk']) await copyFile(sshd.identity, join(home, folder, 'id_ed25519'))
  Object.assign(env, { HOME: home, XDG_CACHE_HOME: '' })
})
afterAll(async () => {
  await sshd.stop()
  await rm(home, { recursive: true, force: true })
})

const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  kraft(args, { cwd: home, env: { ...env, ...more } })
const lines = (text: string) => text.trimEnd().split('\n').sort()

describe('run on several nodes', () => {
  it('says before each line whose it is, and keeps stdout and stderr apart', async () => {
    const { code, stdout, stderr } = await run(['run:all', '--', 'sh', '-c', 'echo out; echo err >&2; printf end'])
    expect(code).toBe(0)
    expect(lines(stdout)).toEqual([
      'database | end',
      'database | out',
      'web1     | end',
      'web1     | out',
      'web2     | end',
      'web2     | out',
    ])
    expect(lines(stderr)).toEqual(['database | err', 'web1     | err', 'web2     | err'])
  })

  it('never mixes lines, in whatever pieces they come', async () => {
    const script = 'for i in $(seq 60); do printf "%s-" $i; printf "begin "; printf "%2000s" ""; printf " end\\n"; done'
    const { stdout } = await run(['run:web1,web2', '--', 'sh', '-c', script])
    expect(lines(stdout)).toHaveLength(120)
    for (const line of lines(stdout)) expect(line).toMatch(/^web[12] \| \d+-begin {2001,2002}end$/)
    for (const node of ['web1', 'web2']) {
      const numbers = [...stdout.matchAll(new RegExp(`^${node} \\| (\\d+)-`, 'gm'))].map(([, number]) => Number(number))
      expect(numbers).toEqual(Array.from({ length: 60 }, (_, index) => index + 1))
    }
  })

  it('runs on so many at once as --parallel says', async () => {
    const { stdout } = await run(['run:all', '--parallel', '1', '--', 'sh', '-c', 'echo begin; sleep 0.3; echo end'])
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' | ')[1]),
    ).toEqual(Array(3).fill(['begin', 'end']).flat())
  })

  it('ends with the highest code, and says in the end which failed', async () => {
    // Which of the connections it is tells them apart.
    const { code, stderr } = await run(['run:web1,web2', '--', 'sh', '-c', 'mkdir "$HOME/first" 2>/dev/null && exit 3; exit 9'])
    expect(code).toBe(9)
    expect(stderr).toMatch(/^2 of 2 failed: web1 \(code [39]\), web2 \(code [39]\)\n$/)
  })

  it('goes on past a node that cannot be reached, and ends with 255', async () => {
    const { code, stdout, stderr } = await run(['run:all', '--', 'echo', 'here'], { HOME: join(home, 'broken') })
    expect(code).toBe(255)
    expect(lines(stdout)).toEqual(['database | here', 'web1     | here', 'web2     | here'])
    expect(stderr).toMatch(/error: gone: .*refused the connection/)
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('1 of 4 failed: gone (not run)')
  })

  it('with --json is one document', async () => {
    const { code, stdout } = await run(['run:all', '--json', '--', 'sh', '-c', 'echo "a"; echo b >&2; exit 4'], {
      HOME: join(home, 'broken'),
    })
    expect(code).toBe(255)
    const data: { readonly node: string }[] = JSON.parse(stdout)
    const ended = (node: string) => ({ node, code: 4, stdout: 'a\n', stderr: 'b\n' })
    expect(data.filter(({ node }) => node !== 'gone')).toEqual([ended('database'), ended('web1'), ended('web2')])
    expect(data.find(({ node }) => node === 'gone')).toMatchObject({
      node: 'gone',
      code: 255,
      error: { kind: 'unreachable', message: expect.stringContaining('gone: ') },
    })
  })

  it('on a single one is the same document with one entry', async () => {
    const { code, stdout } = await run(['run:web1', '--json', '--', 'sh', '-c', 'echo a; exit 5'])
    expect([code, JSON.parse(stdout)]).toEqual([5, [{ node: 'web1', code: 5, stdout: 'a\n', stderr: '' }]])
  })

  it('shares no input: commands get none, and a file is refused', async () => {
    await writeFile(join(home, 'input'), 'read me\n')
    const { stdout } = await call(process.execPath, [kraftProgram, 'run:web1,web2', '--', 'sh', '-c', 'cat; echo end'], {
      cwd: home,
      env: { ...process.env, ...env },
      stdin: 'piped\n',
    })
    expect(lines(stdout)).toEqual(['web1 | end', 'web2 | end'])
    const refused = await call('bash', ['-c', `${process.execPath} ${kraftProgram} run:web1,web2 -- cat <input`], {
      cwd: home,
      env: { ...process.env, ...env },
    })
    expect([refused.code, refused.stdout]).toEqual([255, ''])
    expect(refused.stderr).toContain('Several nodes cannot share one input')
  })

  it('ends when nobody reads any more, here and there', async () => {
    const line = `${process.execPath} ${kraftProgram} run:web1,web2 -- sh -c 'echo $$ >>"$HOME/pids"; while echo line; do :; done' | head -n 3`
    const { stdout } = await call('bash', ['-c', line], { cwd: home, env: { ...process.env, ...env }, seconds: 30 })
    expect(stdout.split('\n')).toHaveLength(4)
    const alive = () =>
      call('sh', ['-c', `for pid in $(cat ${sshd.folder}/pids); do [ -e /proc/$pid ] && echo $pid; done; :`], {
        cwd: home,
        env: {},
      })
    await expect.poll(async () => (await alive()).stdout, { timeout: 8_000 }).toBe('')
  })

  it('at a terminal has colours, and Ctrl-C ends the commands on all nodes', async () => {
    const { CI: _ci, NO_COLOR: _no, ...plain } = process.env
    const command = [
      process.execPath,
      kraftProgram,
      'run:web1,web2',
      '--',
      'sh',
      '-c',
      'trap "echo interrupted; exit 7" INT; echo ready; while :; do sleep 0.1; done',
    ]
    const terminal = await inTerminal(command, { columns: 80, rows: 24, cwd: home, env: { ...plain, ...env } })
    await terminal.sees(/ready[\s\S]*ready/)
    expect(terminal.seen()).toContain('\x1b[36mweb1 |\x1b[0m ready')
    expect(terminal.seen()).toContain('\x1b[33mweb2 |\x1b[0m ready')
    terminal.type('\x03')
    await terminal.sees(/interrupted[\s\S]*interrupted/)
    expect(await terminal.ended()).toBe(130)
  })

  it('a second Ctrl-C ends it although the commands do not listen', async () => {
    const child = spawn(process.execPath, [kraftProgram, 'run:web1,web2', '--', 'sh', '-c', 'trap "" INT; echo ready; sleep 5'], {
      cwd: home,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let out = ''
    child.stdout.on('data', (chunk) => {
      out += String(chunk)
    })
    await expect.poll(() => out.match(/ready/g)?.length, { timeout: 8_000 }).toBe(2)
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    child.kill('SIGINT')
    setTimeout(() => child.kill('SIGINT'), 700)
    expect(await ended).toBe(130)
  })

  it('a dry run names the nodes and runs nothing', async () => {
    const { stdout } = await run(['run:all', '--dry-run', '--', 'touch', 'x'])
    expect(stdout).toBe('Would run on database, web1, web2, as root in its home: touch x\n')
  })
})
