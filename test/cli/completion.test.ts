import { chmod, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeFiles } from '../rig/cli.js'
import { call, callKraft, kraftProgram } from '../rig/kraft.js'
import { ensurePackages } from '../rig/packages.js'
import { inTerminal, type Terminal } from '../rig/terminal.js'

// Completes with the built kraft, and tells what else it was called with instead of doing it.
const wrapper = `#!/bin/sh
case $1 in --complete|completion) exec ${process.execPath} ${kraftProgram} "$@" ;; esac
echo "called: $*."
`

let home: string
let project: string
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  await ensurePackages(['bash', 'zsh', 'fish'])
  home = await realpath(await mkdtemp(join(tmpdir(), 'kraft-completion-')))
  project = join(home, 'shop')
  const bin = join(home, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'kraft'), wrapper)
  await chmod(join(bin, 'kraft'), 0o755)
  const node = (address: string) => `{ provider: static, address: ${address}, user: root, host_keys: ["ssh-ed25519 AAAA"] }`
  await writeFiles(home, {
    'shop/kraftwerk.yaml':
      'version: 1\nwsgi: shop.wsgi:application\nenvironments:\n  stage: { name: shop-stage, nodes: [one] }\n  live: { nodes: [two] }\n',
    'shop/nodes.yaml': `one: ${node('192.0.2.1')}\ntwo: ${node('192.0.2.2')}\n`,
    'shop/before.bundle': '',
    'shop/kraftfile.ts': [
      "import { option, task } from 'kraftwerk'",
      '/** Drop old cached pages. */',
      "export const clearCache = task({ on: 'once', options: {",
      "  area: option({ type: 'string', positional: true, choices: ['home', 'shop'] }),",
      "  colour: option({ type: 'string', choices: ['red', 'green'], help: 'of the page' }) }, run: () => undefined })",
      '',
    ].join('\n'),
  })
  await mkdir(join(project, 'node_modules'))
  await symlink(join(kraftProgram, '../..'), join(project, 'node_modules/kraftwerk'))
  const { CI: _ci, ...plain } = process.env
  env = {
    ...plain,
    HOME: home,
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_CONFIG_HOME: '',
    PATH: `${bin}:${process.env.PATH}`,
    TERM: 'xterm',
    PS1: '> ',
    ZDOTDIR: home,
    LC_ALL: 'C.UTF-8',
  }
  // What is under test is not how long the first load of a kraftfile takes.
  await complete('deploy:')
})
afterAll(() => rm(home, { recursive: true, force: true }))

async function complete(...words: string[]): Promise<string[]> {
  const { stdout } = await call('kraft', ['--complete', ...words], { cwd: project, env })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0] ?? '')
}

describe('kraft --complete', () => {
  it.each<[string[], string[]]>([
    [['de'], ['deploy', 'destroy', 'dev']],
    [['depl'], ['deploy', 'deploy:stage', 'deploy:live', 'deploy:one', 'deploy:two', 'deploy:all']],
    [
      ['clear'],
      ['clear-cache', 'clear-cache:stage', 'clear-cache:live', 'clear-cache:one', 'clear-cache:two', 'clear-cache:all'],
    ],
    [['deploy:l'], ['deploy:live']],
    [['run:one,'], ['run:one,stage', 'run:one,live', 'run:one,two']],
    [['run:one,st'], ['run:one,stage']],
    [['provision:'], []],
    [['help', 'dep'], ['deploy']],
    [
      ['clear-cache:stage', ''],
      ['home', 'shop'],
    ],
    [['clear-cache:stage', 'home', ''], []],
    [
      ['clear-cache:stage', '--colour', ''],
      ['red', 'green'],
    ],
    [['clear-cache:stage', '--colour', 'red', 'sh'], ['shop']],
    [['clear-cache:stage', '--colour=g'], ['--colour=green']],
    [['clear-cache:stage', '--co'], ['--colour']],
    [['clear-cache:stage', '--dry-run', '--d'], ['--debug']],
    [['load:stage', ''], [':files']],
    [['deploy:stage', '--lim'], ['--limit']],
    [['nodes', '--lim'], []],
    [
      ['bootstrap:one', '--on-failure', ''],
      ['continue', 'stop'],
    ],
    // Choices that are known only once the providers are.
    [['provision', '--provider', 'lo'], ['local']],
    [['run:stage', '--', '--'], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['nosuch', ''], []],
  ])('%j gives %j', async (words, expected) => expect(await complete(...words)).toEqual(expected))

  it('knows a new environment and a new node at once', async () => {
    const other = join(home, 'other')
    await writeFiles(other, { 'kraftwerk.yaml': 'version: 1\nwsgi: a.b:c\nenvironments:\n  stage: {}\n' })
    const words = async () => (await call('kraft', ['--complete', 'deploy:'], { cwd: other, env })).stdout
    expect(await words()).toBe('deploy:stage\tno nodes yet\n')
    await writeFiles(other, { 'kraftwerk.yaml': 'version: 1\nwsgi: a.b:c\nenvironments:\n  stage: {}\n  live: {}\n' })
    expect(await words()).toContain('deploy:live')
    await writeFiles(other, { 'nodes.yaml': 'three: { provider: static, address: 192.0.2.3, user: root, host_keys: [] }\n' })
    expect(await words()).toContain('deploy:three\t192.0.2.3')
  })

  it('and the schema are there although ~/.kraftwerk.yaml is broken, which whoever needs it is told', async () => {
    const other = join(home, 'mistaken')
    await writeFiles(other, {
      '.kraftwerk.yaml': 'provider: [\n',
      'kraftwerk.yaml': 'version: 1\nwsgi: a.b:c\nenvironments:\n  stage: {}\n',
    })
    const there = { cwd: other, env: { ...env, HOME: other } }
    expect((await call('kraft', ['--complete', 'deploy:'], there)).stdout).toBe('deploy:stage\tno nodes yet\n')
    expect(JSON.parse((await callKraft(['schema'], there)).stdout)).toHaveProperty('properties.wsgi')
    expect(await callKraft(['completion', 'bash'], there)).toMatchObject({ code: 0, stderr: '' })
    for (const args of [['deploy:stage'], ['nodes'], ['templates']])
      expect(await callKraft(args, there)).toMatchObject({ code: 2, stderr: expect.stringContaining('.kraftwerk.yaml:2') })
  })

  it('says no error where kraftwerk.yaml is broken', async () => {
    const broken = join(home, 'broken')
    await writeFiles(broken, { 'kraftwerk.yaml': 'version: [\n' })
    expect(await call('kraft', ['--complete', 'deploy:'], { cwd: broken, env })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })
})

const start: Readonly<Record<string, { readonly program: readonly string[]; readonly load: string }>> = {
  bash: { program: ['bash', '--norc', '--noprofile', '-i'], load: 'eval "$(kraft completion bash)"' },
  zsh: {
    program: ['zsh', '-f', '-i'],
    load: 'PS1=\'> \'; autoload -Uz compinit; compinit -u -d $HOME/.zcompdump; eval "$(kraft completion zsh)"',
  },
  fish: {
    program: ['fish', '--no-config'],
    load: 'set -g fish_autosuggestion_enabled 0; kraft completion fish | source',
  },
}

describe.each(['bash', 'zsh', 'fish'])('in a real %s', (name) => {
  const opened: Terminal[] = []
  afterAll(() => {
    for (const terminal of opened) terminal.kill()
  })

  /** Types a line with tabs and Enter, and gives what kraft is then called with. */
  async function typed(keys: string): Promise<string> {
    const { program, load } = start[name] ?? { program: [], load: '' }
    const terminal = await inTerminal(program, { columns: 120, rows: 40, cwd: project, env })
    opened.push(terminal)
    terminal.type(`${load}; echo rea''dy\r`)
    await terminal.sees('ready')
    terminal.type(`${keys}\r`)
    await terminal.sees(/called: .*\./)
    terminal.kill()
    return /called: (.*?) ?\.\r?$/m.exec(stripVTControlCharacters(terminal.seen()))?.[1] ?? ''
  }

  it('completes a task', async () => expect(await typed('kraft boots\t:o\t')).toBe('bootstrap:one'))
  it('completes a target behind the colon', async () => expect(await typed('kraft deploy:st\t')).toBe('deploy:stage'))
  it('completes a target behind a comma', async () => expect(await typed('kraft run:one,li\t')).toBe('run:one,live'))
  it('completes an option', async () => expect(await typed('kraft deploy:stage --dr\t')).toBe('deploy:stage --dry-run'))
  it('completes a choice', async () => expect(await typed('kraft clear-cache:live ho\t')).toBe('clear-cache:live home'))
  it('completes the value of an option', async () =>
    expect(await typed('kraft clear-cache:live --colour gr\t')).toBe('clear-cache:live --colour green'))
  it('completes it behind an equals sign', async () =>
    expect(await typed('kraft clear-cache:live --colour=gr\t')).toBe('clear-cache:live --colour=green'))
  it('completes a file', async () => expect(await typed('kraft load:stage bef\t')).toBe('load:stage before.bundle'))
})

const own: Readonly<Record<string, { readonly program: readonly string[]; readonly files: Readonly<Record<string, string>> }>> = {
  bash: { program: ['bash', '-i'], files: { '.bashrc': "PS1='> '" } },
  zsh: { program: ['zsh', '-i'], files: { '.zshrc': "PS1='> '\n" } },
  fish: { program: ['fish'], files: { '.config/fish/config.fish': 'set -g fish_autosuggestion_enabled 0\n' } },
}

describe.each(['bash', 'zsh', 'fish'])('kraft completion --install for %s', (name) => {
  const { program, files } = own[name] ?? { program: [], files: {} }
  const there = () => join(home, `own-${name}`)
  const its = () => ({ ...env, HOME: there(), ZDOTDIR: there(), SHELL: `/usr/bin/${name}`, XDG_CONFIG_HOME: '' })
  const install = (...words: string[]) => call('kraft', ['completion', '--install', ...words], { cwd: project, env: its() })
  const texts = async () => Promise.all(Object.keys(files).map((file) => readFile(join(there(), file), 'utf8')))

  it('says in a dry run what it would write', async () => {
    await writeFiles(there(), files)
    const { code, stdout } = await install('--dry-run')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Would write to .*\n$/m)])
    expect(await texts()).toEqual(Object.values(files))
  })

  it('teaches its shell for good, adds one line at the most to what was there, and a second time nothing', async () => {
    expect(await install()).toMatchObject({ code: 0, stdout: expect.stringContaining(`${name} completes kraft`) })
    const after = await texts()
    for (const [index, text] of Object.values(files).entries()) {
      expect(after[index]?.startsWith(text.trimEnd())).toBe(true)
      expect((after[index]?.trimEnd().split('\n').length ?? 0) - text.trimEnd().split('\n').length).toBe(name === 'fish' ? 0 : 1)
    }
    expect(await install()).toMatchObject({ code: 0, stdout: `${name} completes kraft already\n` })
    expect(await texts()).toEqual(after)

    const terminal = await inTerminal(program, { columns: 120, rows: 40, cwd: project, env: its() })
    try {
      terminal.type("echo rea''dy\r")
      await terminal.sees('ready')
      terminal.type('kraft deploy:st\t\r')
      await terminal.sees(/called: .*\./)
      expect(stripVTControlCharacters(terminal.seen())).toContain('called: deploy:stage')
    } finally {
      terminal.kill()
    }
  })
})

it('kraft completion refuses a shell that it does not know', async () => {
  const { code, stderr } = await call('kraft', ['completion', '--install'], { cwd: project, env: { ...env, SHELL: '/bin/tcsh' } })
  expect([code, stderr]).toEqual([
    2,
    'error: kraft does not complete in /bin/tcsh\nnext:  Name one: kraft completion bash|zsh|fish --install\n',
  ])
})
