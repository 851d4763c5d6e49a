import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failure, kraft } from '../rig/cli.js'
import { kraftProgram } from '../rig/kraft.js'
import { inTerminal } from '../rig/terminal.js'

// A new Django project as `kraft init` writes it, with Django from PyPI.
let home: string
let shop: string
let env: Record<string, string>
const patience = { timeout: 20_000 }

beforeAll(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'kraft-developer-')))
  shop = join(home, 'shop')
  env = { HOME: home, XDG_CACHE_HOME: '', TERM: 'xterm', PGUSER: 'kraft-nobody' }
  await kraft(['init', 'shop', '--no-venv'], { cwd: home, env })
})
afterAll(() => rm(home, { recursive: true, force: true }))

const dev = (...words: string[]) => kraft(['dev', ...words], { cwd: shop, env })

/** What runs of the project, here; what has ended and waits for somebody to see to it has no command line any more. */
async function running(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eww', '-o', 'stat=,args='], { maxBuffer: 1 << 26 })
  return stdout.split('\n').filter((row) => row.includes(`${shop}/`) && !row.startsWith('Z'))
}

const page = (word: string) => `from django.http import HttpResponse\n\n
def index(request):
    return HttpResponse("${word}")\n\n
health = index
`

test('one command runs in the environment: the first makes .venv, and output, code and the folder are its own', async () => {
  const migrated = await dev('--', 'manage.py', 'migrate')
  expect(migrated.code, migrated.stderr).toBe(0)
  expect(migrated.stderr).toContain('.venv: made now, with what the project requires\n')
  expect(migrated.stderr).toContain("postgres: none here; without DATABASE_URL the project's own settings decide\n")
  expect(migrated.stdout).toContain('Applying sessions.0001_initial... OK')

  await writeFile(join(shop, '.env'), 'FROM_FILE="a b"\n')
  const program = 'import os, sys; print(os.environ["FROM_FILE"], os.environ["KRAFT_ENV"], sys.prefix, os.getcwd()); sys.exit(7)'
  const asked = await kraft(['dev', '--', 'python', '-c', program], { cwd: join(shop, 'shop'), env })
  expect([asked.code, asked.stdout]).toEqual([7, `a b stage ${shop}/.venv ${shop}/shop\n`])
  const unknown = await dev('--', 'no-such-program')
  expect([unknown.code, failure(unknown.stderr)]).toEqual([255, expect.stringContaining('There is no program no-such-program')])
}, 180_000)

test('what is wrong is said before anything runs', async () => {
  const said = async (...words: string[]) => failure((await dev(...words)).stderr)
  expect(await said('--only', 'wrker')).toContain('There is no process "wrker". Did you mean "worker"?')
  expect(failure((await kraft(['dev'], { cwd: home, env })).stderr)).toMatch(/no kraftwerk.yaml[\s\S]*kraft init/)
  await writeFile(join(shop, '.env'), '# first\nno assignment\n')
  expect(await said('--', 'true')).toMatch(/\.env:2: This is not NAME=value/)
  await rm(join(shop, '.env'))
})

test('the site and its worker run side by side, a save reloads both, and Ctrl-C leaves nothing', async () => {
  const program = [process.execPath, kraftProgram, 'dev']
  const bare = Object.entries(process.env).filter(([name]) => !/^(KRAFT_|VITEST|NODE_|FORCE_COLOR|NO_COLOR|CI$)/.test(name))
  const size = { columns: 60, rows: 24 }
  const terminal = await inTerminal(program, { ...size, cwd: shop, env: { ...Object.fromEntries(bare), ...env } })
  try {
    await terminal.sees('files: .local/uploads')
    await terminal.sees('stage of shop, with .venv; Ctrl-C ends it')
    await terminal.sees('web: http://127.0.0.1:')
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(terminal.seen())?.[0] ?? ''
    const text = () => fetch(url).then((answer) => answer.text(), String)
    await expect.poll(text, patience).toContain('<h1>shop</h1>')
    await expect.poll(terminal.seen, patience).toContain('\x1b[33mworker |\x1b[0m Expired sessions are deleted')
    expect(terminal.seen()).toContain('\x1b[36mweb    |\x1b[0m ')

    await writeFile(join(shop, 'shop/views.py'), page('saved'))
    await expect.poll(text, patience).toBe('saved')
    await expect.poll(terminal.seen, patience).toContain('worker starts anew: shop/views.py')
    expect(await running()).toHaveLength(3)

    terminal.type('\x03')
    expect(await terminal.ended()).toBe(0)
    expect(await running()).toEqual([])
  } finally {
    terminal.kill()
  }
})

test('a worker that dies is started again; a kraft that is killed leaves nothing for long', async () => {
  const file = join(shop, 'kraftwerk.yaml')
  const yaml = await readFile(file, 'utf8')
  const dying = `worker: 'echo begun; sleep 0.3; exit 3', deaf: "trap '' TERM; while :; do sleep 1; done #${shop}/"`
  await writeFile(file, yaml.replace('worker: manage.py worker', dying))
  const child = spawn(process.execPath, [kraftProgram, 'dev', '--no-node'], {
    cwd: shop,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
  })
  try {
    await expect.poll(() => shown, patience).toContain('worker | begun\n')
    await expect.poll(() => shown, patience).toContain('kraft  | worker ended with code 3; it starts again in 2 s')
    await expect.poll(() => shown, patience).toContain('web    | Starting development server')
    expect(shown.split('\n').filter((line) => line !== '' && !/^(web {3}|worker|deaf {2}|kraft ) \| /.test(line))).toEqual([])
    expect((await running()).length).toBeGreaterThan(2)
  } finally {
    child.kill('SIGKILL')
  }
  await expect.poll(running, patience).toEqual([])
})
