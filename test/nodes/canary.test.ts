import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, writeFiles } from '../rig/cli.js'
import { callKraft } from '../rig/kraft.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'
import { kraftInTerminal } from '../rig/terminal.js'
import { watchProcesses } from '../rig/watch-processes.js'

const run = promisify(execFile)

// Of this run alone: what is searched for on this machine may be somebody else's test.
const word = `c4nary${randomBytes(4).toString('hex')}`
const any = `${word}-`
// Each would be found wherever it went: in words, in JSON, quoted, encoded.
const canaries = {
  environ: `${any}env'iron $x`,
  kraftfile: `${any}kraft"file`,
  another: `${any}another`,
  service: `${any}service`,
  password: `${any}pass word"$`,
  passphrase: `${any}pass phrase'`,
}

const files: Files = {
  'kraftwerk.yaml':
    'name: cage\nwsgi: cage.wsgi:application\nrelease: echo "released with $API_TOKEN $VAULT_PIN $VAULT_URL"\nenvironments: { stage: { nodes: [one] } }\n',
  'cage/__init__.py': '',
  'cage/wsgi.py': `import os, sys
def application(environ, start_response):
    if os.environ.get('BROKEN'):
        raise LookupError('the token is ' + os.environ['API_TOKEN'])
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'ok']
`,
  'kraftfile.ts': `import { schema, secret, service, sh, task } from 'kraftwerk'
import { file } from 'kraftwerk/recipes/file'
const value = () => secret(process.env.CANARY ?? '', 'canary')
export const whisper = task({ run: async ({ $, node }) => {
  await $\`sleep 1; printf %s \${value()} | wc -c; echo it says \${value()}\`
  await node.root.$\`test -n \${value()}; sleep 1\`
} })
export const fail = task({ run: ({ $ }) => $\`echo \${value()} >&2; false \${value()}\` })
export const place = task({ on: 'each', steps: () => [
  ...file({ path: '/root/canary', content: value() }),
  { title: 'A step with a secret', files: { token: value() }, apply: sh\`sleep 1; test -s "$KRAFT_STEP/token"\` },
] })
export const vault = service({
  name: 'vault',
  schema: schema.object({ pin: schema.pipe(schema.string(), schema.metadata({ secret: true })) }),
  setup: (_place, { pin }) => [{ title: \`Vault \${pin}\`, files: { pin: secret(pin) }, apply: sh\`test -s "$KRAFT_STEP/pin"; echo opened with \${'$'}{KRAFT_STEP:+pin}\` }],
  environ: (_place, { pin }) => ({ VAULT_PIN: pin, VAULT_URL: \`redis://:\${pin}-url@localhost/0\` }),
})
/** sudo wants a password, or none again. */
export const sudo = task({ on: 'each', steps: () => [
  { title: 'sudo', files: { password: secret('admin:' + (process.env.CANARY_SUDO ?? 'x')) }, apply: sh\`
      chpasswd <"$KRAFT_STEP/password"
      printf '%s\\n' \${process.env.CANARY_SUDO ? 'admin ALL=(ALL) ALL' : 'admin ALL=(ALL) NOPASSWD: ALL'} >/etc/sudoers.d/90-kraftwerk\` },
] })
export const placeAnother = task({ on: 'each', steps: () => [...file({ path: '/root/canary', content: secret(process.env.CANARY_TOO ?? '') })] })
`,
}

let story: Story
let project: string
let env: NodeJS.ProcessEnv
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'cage')
  await writeFiles(project, files)
  env = {
    ...story.env,
    KRAFT_ENVIRON: JSON.stringify({ API_TOKEN: canaries.environ }),
    KRAFT_SERVICES: JSON.stringify([{ vault: { pin: canaries.service } }]),
    CANARY: canaries.kraftfile,
    CANARY_TOO: canaries.another,
  }
  // A sudo user, because sudo logs what it is told to run.
  await provisionPrepared(story, ['one'], 'admin')
})
afterAll(() => story?.remove())

const watched = <T>(work: () => Promise<T>) => watchProcesses(any, work)

test.each([
  [['deploy:stage', '--verbose'], 0],
  [['deploy:stage', '--dry-run', '--debug'], 0],
  [['reload:stage', '--events'], 0],
  [['whisper:stage', '--verbose'], 0],
  [['whisper:stage', '--json', '--debug'], 0],
  [['place:one', '--verbose'], 0],
  [['place-another:one', '--dry-run', '--debug'], 0],
  [['fail:stage', '--debug'], 1],
  [['fail:stage', '--events', '--json'], 1],
])('kraft %j shows no secret, and no process list does', async (args, code) => {
  const { result, seen } = await watched(() => callKraft(args, { cwd: project, env }))
  expect(result.code, result.stderr).toBe(code)
  expect(`${result.stdout}${result.stderr}`).not.toContain(any)
  expect(seen).toBe('')
})

test('a secret that changed is not shown as what it was', async () => {
  const changed = { ...env, KRAFT_ENVIRON: JSON.stringify({ API_TOKEN: 'of-today' }), CANARY: 'of-today', KRAFT_SERVICES: '[]' }
  // None of the old values is known to this call.
  for (const task of ['deploy:stage', 'reload:stage', 'place:one', 'place-another:one']) {
    const { code, stdout, stderr } = await callKraft([task, '--dry-run', '--debug'], { cwd: project, env: changed })
    expect(code, stderr).toBe(0)
    expect(`${stdout}${stderr}`).not.toContain(any)
  }
})

test.each([
  ['a map', `environ: API_TOKEN=${any}mistake\n`],
  ['letters, digits', `environ: { API_TOKEN=${any}mistake }\n`],
  ['alias', `environ:\n  API_TOKEN: *${any}mistake\n`],
  ['pin', `services: [{ vault: { pin: [${any}mistake] } }]\n`],
  ['vault', `services: [{ vault: ${any}mistake }]\n`],
])('a mistake in the settings is told without the value: %s', async (said, text) => {
  const { 'kraftfile.ts': kraftfile = '' } = files
  const folder = join(story.home, 'mistaken')
  await writeFiles(folder, { 'kraftwerk.yaml': `name: mistaken\n${text}`, 'kraftfile.ts': kraftfile })
  const { KRAFT_ENVIRON: _environ, KRAFT_SERVICES: _services, ...plain } = env
  const { code, stdout, stderr } = await callKraft(['deploy:one'], { cwd: folder, env: plain })
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(said)
  expect(stderr).not.toContain(any)
})

test('the password of sudo is in no output and no process list', async () => {
  const words = { ...env, CANARY_SUDO: canaries.password, KRAFT_SUDO_PASSWORD: canaries.password }
  const set = await watched(() => callKraft(['sudo:one', '--verbose', '--debug'], { cwd: project, env: words }))
  expect([set.result.code, set.result.stderr.includes(any), set.seen]).toEqual([0, false, ''])
  for (const args of [
    ['place:one', '--verbose'],
    ['deploy:stage', '--events'],
    ['fail:stage', '--debug'],
  ]) {
    const { result, seen } = await watched(() => callKraft(args, { cwd: project, env: words }))
    expect(result.code, result.stderr).toBe(args[0] === 'fail:stage' ? 1 : 0)
    expect(`${result.stdout}${result.stderr}`).not.toContain(any)
    expect(seen).toBe('')
  }
  const wrong = await callKraft(['place:one', '--debug'], {
    cwd: project,
    env: { ...words, KRAFT_SUDO_PASSWORD: `${any}wrong` },
  })
  expect([wrong.code, `${wrong.stdout}${wrong.stderr}`.includes(any)]).toEqual([1, false])
  const { CANARY_SUDO: _sudo, ...back } = words
  expect((await callKraft(['sudo:one'], { cwd: project, env: back })).code).toBe(0)
})

test('the passphrase of a key is in no output and no process list, and no holder keeps the key', async () => {
  const key = join(story.home, '.kraftwerk/id_ed25519')
  const change = (from: string, to: string) => run('ssh-keygen', ['-q', '-p', '-P', from, '-N', to, '-f', key])
  await callKraft(['disconnect'], { cwd: project, env })
  await change('', canaries.passphrase)
  try {
    const { CI: _ci, ...person } = env
    const { result, seen } = await watched(async () => {
      const terminal = await kraftInTerminal(['place:one', '--verbose', '--debug'], { cwd: project, env: person })
      try {
        await terminal.sees('Passphrase')
        terminal.type(`${any}wrong\r`)
        await terminal.sees('That was not it.')
        terminal.type(`${canaries.passphrase}\r`)
        return { code: await terminal.ended(), seen: terminal.seen() }
      } finally {
        terminal.kill()
      }
    })
    expect(result.code, result.seen).toBe(0)
    expect(result.seen).not.toContain(any)
    expect(seen).toBe('')
    await callKraft(['disconnect'], { cwd: project, env: person })
    const { code, stdout, stderr } = await callKraft(['place:one', '--debug'], { cwd: project, env: person })
    expect([code, stderr]).toEqual([3, expect.stringContaining('is encrypted, and there is no terminal to ask')])
    expect(`${stdout}${stderr}`).not.toContain(any)
  } finally {
    await change(canaries.passphrase, '')
  }
})

test('kraft keeps no secret on this machine', async () => {
  const { stdout } = await run(
    'bash',
    [
      '-c',
      `grep -rlaF -- '${any}' "$HOME" "\${TMPDIR:-/tmp}"/kraft* --exclude-dir=cage 2>/dev/null | grep -v ^"$HOME"/mistaken/ || :`,
    ],
    {
      env: { ...process.env, HOME: story.home },
      maxBuffer: 1 << 26,
    },
  )
  expect(stdout).toBe('')
})

test('an application that fails with a secret in its log is told without the secret', async () => {
  const broken = { ...env, KRAFT_ENVIRON: JSON.stringify({ API_TOKEN: canaries.environ, BROKEN: 'yes' }) }
  const { code, stdout, stderr } = await callKraft(['deploy:stage'], { cwd: project, env: broken })
  expect(code).toBe(1)
  expect(stderr).toContain('LookupError: the token is')
  expect(`${stdout}${stderr}`).not.toContain(any)
})

// Not found by the search itself, whose command line sudo logs.
const pattern = `${word}[-]`

test('on the node secrets are in files of root with mode 0600, and in no log but what the application wrote itself', async () => {
  const found = await story.onNode(
    'one',
    `grep -rlI -- '${pattern}' / --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev 2>/dev/null | while read -r path; do
      stat -c '%U %a %n' "$path"
    done; journalctl --no-pager 2>/dev/null | grep -c -- '${pattern}' | sed 's/^/journal /'`,
  )
  const rows = found.trim().split('\n')
  expect(rows).toContain('root 600 /root/canary')
  expect(rows.at(-1)).toBe('journal 0')
  const others = rows
    .slice(0, -1)
    .filter((row) => !/^root 600 (\/root\/canary|\/web\/cage\/releases\/.*\/env(\.call)?)$/.test(row))
  expect(others).toEqual([expect.stringMatching(/ 640 \/web\/cage\/log\/web$/)])
})

test('what was searched for can be found', async () => {
  expect((await story.onNode('one', 'cat /root/canary')).trim()).toBe(canaries.kraftfile)
  const { stdout } = await callKraft(['run:stage', '--', 'sh', '-c', 'echo "$API_TOKEN"'], { cwd: project, env })
  expect(stdout.trim()).toBe(canaries.environ)
})
