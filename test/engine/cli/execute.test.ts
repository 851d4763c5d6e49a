import { spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Program, program } from '../../rig/program.js'
import { inTerminal, type Terminal } from '../../rig/terminal.js'

let built: Program
beforeAll(async () => {
  built = await program(new URL('./kraft.fixture.ts', import.meta.url).pathname, ['engine'])
})
afterAll(() => built.remove())

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const { CI: _ci, ...inherited } = process.env
const surroundings = { cwd: '/tmp', env: { ...inherited, NO_COLOR: '1', KRAFT_EC2_SECRET: 'canary-of-variables' } }

/** Runs the fixture; it gets a signal once it has said `when`. */
async function kraft(line: string, { when = '', signal = 'SIGINT' as NodeJS.Signals } = {}): Promise<Ended> {
  const child = spawn('sh', ['-c', `exec ${process.execPath} ${built.file} ${line}`], surroundings)
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    said.stdout += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    if (when !== '' && !said.stderr.includes(when) && (said.stderr + chunk).includes(when)) child.kill(signal)
    said.stderr += String(chunk)
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, ...said }
}

/** Runs the fixture in a terminal. */
function inTerminalOf(...words: string[]): Promise<Terminal> {
  const { cwd, env } = surroundings
  return inTerminal([process.execPath, built.file, ...words], { columns: 100, rows: 30, cwd, env: { ...env, TERM: 'xterm' } })
}

describe('Ctrl-C', () => {
  it('gives back what is held, says so once and ends with 130', async () => {
    const started = Date.now()
    const { code, stdout, stderr } = await kraft('slow', { when: 'ready' })
    expect(code).toBe(130)
    expect(stdout).toBe('lock given back\n')
    expect(stderr.match(/^error: /gm)).toHaveLength(1)
    expect(stderr).toContain('error: Interrupted\n')
    expect(Date.now() - started).toBeLessThan(10_000)
  })

  it.each(['SIGTERM', 'SIGHUP'] as const)('is no better than %s, by which others end kraft', async (signal) => {
    const { code, stdout, stderr } = await kraft('slow', { when: 'ready', signal })
    expect([code, stdout]).toEqual([130, 'lock given back\n'])
    expect(stderr).toContain('error: Interrupted\n')
  })

  it('at a terminal shows the cursor again and leaves the list as it was', async () => {
    const terminal = await inTerminalOf('slow')
    await terminal.sees('slow')
    terminal.type('\x03')
    expect(await terminal.ended()).toBe(130)
    const screen = terminal.seen()
    expect(screen).toContain('\x1b[?25l')
    expect(screen.lastIndexOf('\x1b[?25h')).toBeGreaterThan(screen.lastIndexOf('\x1b[?25l'))
    expect(stripVTControlCharacters(screen)).toMatch(/slow\s[\s\S]*error: Interrupted/)
  })
})

describe('results', () => {
  it('go to stdout, progress and warnings to stderr', async () => {
    const { code, stdout, stderr } = await kraft('greet:a')
    expect([code, stdout]).toEqual([0, 'hello a\n'])
    expect(stderr).toContain('warning: ~/.kraftwerk.yaml can be read by others\n')
    expect(stderr).toContain('greet:a')
    expect(stderr).not.toContain('Next:')
  })

  it('name the next command at a terminal', async () => {
    const terminal = await inTerminalOf('greet:a')
    expect(await terminal.ended()).toBe(0)
    expect(stripVTControlCharacters(terminal.seen())).toMatch(/hello a\r\nNext: kraft thank:a\r\n$/)
  })

  it('are one JSON document: the data, null for none, a list for several targets', async () => {
    const json = async (line: string) => JSON.parse((await kraft(`${line} --json`)).stdout)
    expect(await json('greet:a')).toEqual({ greeted: 'a' })
    expect(await json('idle')).toBeNull()
    const several = await json('greet:a,b')
    expect(several).toEqual([
      { target: 'a', data: { greeted: 'a' } },
      { target: 'b', data: { greeted: 'b' } },
    ])
  })

  it('of those that are done are told although others failed, and then which did', async () => {
    const { code, stdout, stderr } = await kraft('greet:a,b,c --hide b')
    expect(code).toBe(1)
    expect(stdout).toBe('hello a\nhello c\n')
    expect(stderr).toContain('error: b hides\n')
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('error: 1 of 3 failed: greet:b; done: greet:a, greet:c')
  })

  it('that nobody can ask for again are shown once, whoever called the task, and where it failed behind', async () => {
    const once = 'ada has the password Kq7\n'
    expect(await kraft('account')).toMatchObject({ code: 0, stdout: 'made: Kq7\n' })
    expect(await kraft('calls')).toMatchObject({ code: 0, stdout: once })
    expect(await kraft('fails')).toMatchObject({ code: 1, stdout: once })
    const json = await kraft('calls --json')
    expect([json.stdout, json.stderr]).toEqual(['null\n', expect.stringContaining(once)])
    expect((await kraft('account --json')).stderr).not.toContain('Kq7')
  })

  it('with --events come beside one event a line', async () => {
    const { stdout, stderr } = await kraft('greet:a --events --json')
    expect(JSON.parse(stdout)).toEqual({ greeted: 'a' })
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event)
    expect(events).toEqual(['note', 'begin', 'end'])
  })
})

describe('what is shown', () => {
  it('with --quiet is results and errors', async () => {
    expect(await kraft('greet:a --quiet')).toEqual({ code: 0, stdout: 'hello a\n', stderr: '' })
    expect(await kraft('greet:a -q --hide a')).toEqual({ code: 1, stdout: '', stderr: 'error: a hides\n' })
  })

  it('with --verbose is every step, line by line, at a terminal as well', async () => {
    const terminal = await inTerminalOf('says', '-v')
    expect(await terminal.ended()).toBe(0)
    expect(terminal.seen()).toMatch(/\| detail 1\r\n.*\| detail 9\r\n/s)
    expect(terminal.seen()).not.toContain('\x1b[')
    expect((await kraft('says')).stderr).not.toContain('detail')
    expect((await kraft('says -v')).stderr).toContain('detail 9')
  })

  it('cannot be both', async () => {
    const { code, stderr } = await kraft('says -qv')
    expect(code).toBe(2)
    expect(stderr).toContain('--quiet and --verbose are opposites')
  })

  it('with --events ends with the error as an event, and stdout stays empty', async () => {
    const { code, stdout, stderr } = await kraft('greet:a,b --events --json --hide a --hide b')
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect([code, stdout]).toEqual([1, ''])
    expect(events.at(-1)).toMatchObject({
      event: 'error',
      code: 1,
      kind: 'several',
      failed: [
        { title: 'greet:a', kind: 'task', message: 'a hides' },
        { title: 'greet:b', kind: 'task' },
      ],
    })
    const wrong = JSON.parse((await kraft('idle --nosuch --events')).stderr)
    expect(wrong).toEqual({
      event: 'error',
      code: 2,
      kind: 'usage',
      message: 'idle has no option --nosuch.',
      next: 'See: kraft help idle',
    })
  })

  it('is never a secret: not of variables, nor of secret(), in results, errors or stacks', async () => {
    for (const options of ['', '--json', '--events --json', '--debug', '-v', '-q']) {
      for (const how of ['', '--fail']) {
        const { stdout, stderr } = await kraft(`leak ${how} ${options}`)
        expect(stdout + stderr).toContain('[secret]')
        expect(stdout + stderr).not.toContain('canary')
      }
    }
    expect((await kraft('leak --reveal')).stdout).toBe('canary-of-code\n')
  })
})

describe('the exit code', () => {
  it.each([
    ['idle', 0],
    ['code -- 0', 0],
    ['code -- 7', 7],
    ['greet:a --hide a', 1],
    ['bug', 1],
    ['nosuch', 2],
    ['idle --nosuch', 2],
    ['idle:a', 2],
    ['--json idle', 2],
    ['help idle', 0],
    ['idle --help', 0],
    ['--version', 0],
  ])('of %s is %i', async (line, code) => expect((await kraft(line)).code).toBe(code))
})

it('a bug shows no stack but with --debug', async () => {
  expect((await kraft('bug')).stderr).not.toMatch(/^ +at /m)
  expect((await kraft('bug --debug')).stderr).toMatch(/^ +at /m)
})

it('help may name a target as well', async () => {
  expect((await kraft('help greet:a')).stdout).toContain('kraft greet:NODE')
})

describe('what nobody awaits', () => {
  it.each(['stray', 'stray --dropped'])('fails the run in order: %s', async (line) => {
    const started = Date.now()
    const { code, stdout, stderr } = await kraft(line)
    expect([code, stdout]).toEqual([1, 'lock given back\n'])
    expect(stderr).toMatch(/^error: .*kraft\.fixture\.js:\d+: lost \[secret\], which is \[secret\]$/m)
    expect(stderr).not.toContain('canary')
    expect(stderr).not.toMatch(/^ +at /m)
    expect(Date.now() - started).toBeLessThan(10_000)
  })

  it('or never comes is told', async () => {
    const { code, stderr } = await kraft('stuck')
    expect([code, stderr]).toEqual([1, expect.stringContaining('error: stuck waits for something that never comes\n')])
  })

  it('at the end fails for itself, and keeps nothing else from being given back', async () => {
    const { code, stdout, stderr } = await kraft('endings')
    expect([code, stdout]).toEqual([1, 'lock given back\n'])
    expect(stderr).toContain('error: this could not be given back\n')
  })

  it('at the end is told beside what failed before, whose code counts', async () => {
    const { code, stdout, stderr } = await kraft('endings --fail')
    expect([code, stdout]).toEqual([3, 'lock given back\n'])
    expect(stderr).toMatch(/error: this could not be given back\n(.*\n)*error: one: gone\n/)
  })
})

describe('a reader that has gone', () => {
  it.each([
    ['results', ['greet:a'], 'stdout'],
    ['progress', ['says', '--verbose'], 'stderr'],
    ['the list of tasks', ['--list'], 'stdout'],
  ] as const)('of %s does not end kraft', async (_, words, stream) => {
    const child = spawn(process.execPath, [built.file, ...words], { ...surroundings, stdio: ['ignore', 'pipe', 'pipe'] })
    child[stream].destroy()
    let said = ''
    child[stream === 'stdout' ? 'stderr' : 'stdout'].on('data', (chunk) => {
      said += String(chunk)
    })
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
    expect(said).not.toContain('EPIPE')
  })

  it('is not a disk that is full: that is a failure', async () => {
    const { code, stderr } = await kraft('greet:a >/dev/full')
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: what kraft prints could not be written: .*ENOSPC/m)])
  })
})
