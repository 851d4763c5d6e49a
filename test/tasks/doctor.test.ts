import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { generateHostKey } from '../../engine/ssh/key-pair.js'
import { type Files, kraft, writeFiles } from '../rig/cli.js'
import { call } from '../rig/kraft.js'
import { type Sshd, startSshd } from '../rig/sshd.js'

let root: string
let sshd: Sshd
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'kraft-doctor-')))
  sshd = await startSshd([], 'ecdsa', ['/run/kraftwerk', '/var/lib/kraftwerk'])
})
afterAll(async () => {
  await sshd?.stop()
  await rm(root, { recursive: true, force: true })
})

let homes = 0
/** A home that logs in with kraft's own key, and a project with these files. */
async function place(files: Files): Promise<{ home: string; shop: string }> {
  const home = join(root, String(++homes))
  const shop = join(home, 'shop')
  await mkdir(join(home, '.kraftwerk'), { recursive: true, mode: 0o700 })
  await mkdir(shop)
  await writeFile(join(home, '.kraftwerk', 'id_ed25519'), await readFile(sshd.identity), { mode: 0o600 })
  await writeFiles(shop, files)
  return { home, shop }
}

const env = (home: string) => ({ HOME: home, SSH_AUTH_SOCK: '' })

interface Seen {
  readonly check: string
  readonly about: string
  readonly said: string
  readonly findings: readonly { readonly level: string; readonly what: string; readonly next: string }[]
}

async function doctor(
  words: string,
  { home, shop }: { home: string; shop: string },
  more: Readonly<Record<string, string>> = {},
) {
  const { code, stdout, stderr } = await kraft([...words.split(' '), '--json'], { cwd: shop, env: { ...env(home), ...more } })
  const data: { ok: boolean; errors: number; warnings: number; checks: readonly Seen[] } = JSON.parse(stdout)
  const of = (check: string) => data.checks.filter((each) => each.check === check).flatMap((each) => each.findings)
  for (const { next } of data.checks.flatMap(({ findings }) => findings)) expect(next).not.toBe('')
  return { code, stderr, data, of }
}

const yaml = 'wsgi: shop.wsgi:application\nenvironments:\n  stage: { nodes: [one] }\n'
const one = () => ({ ...sshd.record, name: undefined })
const nodes = (records: Readonly<Record<string, object>>) => stringify(JSON.parse(JSON.stringify(records)))

describe('without a target', () => {
  it('a sound machine and project end with code 0, and every node is knocked at', async () => {
    const { code, data, stderr } = await doctor(
      'doctor',
      await place({ 'kraftwerk.yaml': yaml, 'nodes.yaml': nodes({ one: one() }) }),
    )
    expect(data.checks.flatMap(({ findings }) => findings)).toEqual([])
    expect([code, data.ok, stderr]).toEqual([0, true, ''])
    expect(data.checks.find(({ about }) => about === 'one')?.said).toMatch(/^answers at 127\.0\.0\.1/)
  })

  it('each broken file is a finding with its place, and none hides another', async () => {
    const at = await place({
      'kraftwerk.yaml': `${yaml}doman: x.org\n`,
      'kraftfile.ts': 'export const a = (\n',
      'nodes.yaml': 'one: { provider: static }\n',
      '../.kraftwerk.yaml': 'provder: local\n',
    })
    const { code, of } = await doctor('doctor', at)
    expect(code).toBe(1)
    expect(of('project')).toMatchObject([
      { level: 'error', what: expect.stringContaining('kraftwerk.yaml:4:1: Unknown key "doman"') },
    ])
    expect(of('kraftfile')).toMatchObject([{ what: expect.stringContaining('kraftfile.ts:2:1: Syntax error') }])
    expect(of('nodes')).toMatchObject([{ what: expect.stringContaining('nodes.yaml:1:6: "one.address" is missing') }])
    expect(of('user')).toMatchObject([{ what: expect.stringContaining('.kraftwerk.yaml:1:1: Unknown key "provder"') }])
  })

  it('a node that is silent is a warning, one that an environment names and nobody remembers is not', async () => {
    const files = { 'kraftwerk.yaml': yaml.replace('[one]', '[one, two]'), 'nodes.yaml': nodes({ one: { ...one(), port: 1 } }) }
    const { of } = await doctor('doctor', await place(files))
    expect(of('login')).toMatchObject([{ level: 'warning', what: '127.0.0.1 port 1 refused the connection' }])
    expect(of('nodes')).toMatchObject([{ level: 'error', what: 'stage names the node two, which is not remembered' }])
  })

  it('secrets that are committed need a hand, and files that others can change', async () => {
    const at = await place({
      'kraftwerk.yaml': `${yaml}environ: { API_TOKEN: abcdef }\n`,
      '.env': 'DB_PASSWORD=abc\n',
      '.env.example': 'DB_PASSWORD=\n',
      'certificates/live.key': generateHostKey().privateKey,
      'ignored.key': generateHostKey().privateKey,
    })
    for (const args of [
      ['init', '-q'],
      ['add', '--', 'kraftwerk.yaml', '.env', '.env.example', 'certificates'],
    ])
      await call('git', args, { cwd: at.shop, env: { ...process.env, ...env(at.home) } })
    await chmod(join(at.shop, 'kraftwerk.yaml'), 0o666)
    const { code, of } = await doctor('doctor', at)
    expect(code).toBe(1)
    expect(of('committed').map(({ what }) => what.replaceAll(`${at.shop}/`, ''))).toEqual([
      'A secret is committed: .env (DB_PASSWORD)',
      'certificates/live.key is a private key, and committed',
      'A secret is committed: kraftwerk.yaml:4:23',
    ])
    expect(of('modes')).toMatchObject([{ level: 'error', next: `chmod o-w ${at.shop}/kraftwerk.yaml` }])
  })

  it('a key whose private half nobody holds needs a hand, and is not made', async () => {
    const at = await place({ '../.kraftwerk.yaml': 'pubkey: ~/work.pub\n', '../work.pub': `${generateHostKey().publicKey}\n` })
    const { of } = await doctor('doctor', at)
    expect(of('keys')).toMatchObject([
      { level: 'error', what: expect.stringMatching(/^Nobody here has the private half of .*work\.pub/) },
    ])
    await expect(readFile(join(at.home, 'work'))).rejects.toThrow('ENOENT')
  })

  it('a provider that is set is asked, and says what it lacks', async () => {
    const at = await place({ '../.kraftwerk.yaml': 'provider: hetzner\n' })
    await chmod(join(at.home, '.kraftwerk.yaml'), 0o600)
    const missing = await doctor('doctor', at)
    expect(missing.of('providers')).toMatchObject([
      { level: 'error', what: 'It needs secret', next: expect.stringContaining('HCLOUD_TOKEN') },
    ])
    const server = createServer((socket) => {
      const body = JSON.stringify({ error: { code: 'unauthorized', message: 'unable to authenticate' } })
      socket.once('data', () =>
        socket.end(`HTTP/1.1 401 No\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const refused = await doctor('doctor', at, {
      HCLOUD_TOKEN: 'wrong-token',
      KRAFT_HETZNER_ENDPOINT: `http://127.0.0.1:${port}`,
    })
    server.close()
    expect(refused.of('providers')).toMatchObject([{ level: 'error' }])
    expect(JSON.stringify(refused.data)).not.toContain('wrong-token')
  })
})

describe('with a target', () => {
  it('the login is tried and root is asked for what bootstrap has to do; nothing is changed', async () => {
    const at = await place({ 'kraftwerk.yaml': yaml, 'nodes.yaml': nodes({ one: one() }) })
    const { data, of } = await doctor('doctor:stage', at)
    expect(of('login')).toEqual([])
    expect(data.checks.find(({ check }) => check === 'login')?.said).toMatch(
      /lets .* in at 127\.0\.0\.1:\d+, shows its own host key/,
    )
    expect(data.checks.find(({ check }) => check === 'state')?.about).toBe('State of one')
    expect(of('bootstrap')).toMatchObject([{ next: 'kraft bootstrap:one (--dry-run shows what it would change)' }])
  })

  it('another host key needs a hand, and no other check goes on with that node', async () => {
    const other = { ...one(), host_keys: [generateHostKey().publicKey] }
    const { code, data, of } = await doctor(
      'doctor:one',
      await place({ 'kraftwerk.yaml': yaml, 'nodes.yaml': nodes({ one: other }) }),
    )
    expect(code).toBe(1)
    expect(of('login')).toMatchObject([{ level: 'error', what: expect.stringMatching(/^its host key changed/) }])
    expect(data.checks.filter(({ check }) => ['bootstrap', 'state'].includes(check))).toEqual([])
  })

  it('a node is looked at although ~/.kraftwerk.yaml is broken, and that is told once', async () => {
    const away = { ...one(), provider: 'hetzner', port: 1 }
    const files = { '../.kraftwerk.yaml': 'provder: local\n', 'kraftwerk.yaml': yaml, 'nodes.yaml': nodes({ one: away }) }
    const { data } = await doctor('doctor:one', await place(files))
    const findings = data.checks.flatMap((each) => each.findings.map(({ what }) => `${each.check}: ${what}`))
    expect(findings).toEqual([
      expect.stringMatching(/^user: .*Unknown key "provder"/),
      'login: 127.0.0.1 port 1 refused the connection',
    ])
  })

  it('where its provider says that a silent node is stopped, so does the finding', async () => {
    const kraftfile = `import { provider } from 'kraftwerk'
export const shelf = provider({ name: 'shelf', doc: 'ours', create: async () => { throw new Error('none') },
  describe: async () => 'stopped', destroy: async () => undefined })\n`
    const away = { ...one(), provider: 'shelf', port: 1 }
    const at = await place({ 'kraftwerk.yaml': yaml, 'kraftfile.ts': kraftfile, 'nodes.yaml': nodes({ one: away }) })
    const { of } = await doctor('doctor:one', at)
    expect(of('login')).toMatchObject([
      { next: 'It is stopped (shelf). Start it there; then kraft provision one finds it, also at another address' },
    ])
  })

  it('a node that several environments hold is looked at by itself', async () => {
    const both = `${yaml}  live: { name: shop-live, nodes: [one] }\n`
    const other = { ...one(), host_keys: [generateHostKey().publicKey] }
    const { data } = await doctor('doctor:one', await place({ 'kraftwerk.yaml': both, 'nodes.yaml': nodes({ one: other }) }))
    expect(data.checks.filter(({ check }) => check === 'login').map(({ about }) => about)).toEqual(['one'])
  })

  it('--limit leaves those of its nodes, and without a target of all that are remembered', async () => {
    const away = { ...one(), port: 1 }
    const files = { 'kraftwerk.yaml': yaml.replace('[one]', '[one, two]'), 'nodes.yaml': nodes({ one: away, two: away }) }
    const at = await place(files)
    const lookedAt = async (words: string) =>
      (await doctor(words, at)).data.checks.filter(({ check }) => check === 'login').map(({ about }) => about)
    expect(await lookedAt('doctor:stage')).toEqual(['one', 'two'])
    expect(await lookedAt('doctor:stage --limit o*')).toEqual(['one'])
    expect(await lookedAt('doctor --limit two')).toEqual(['two'])
    for (const [words, where] of [
      ['doctor:stage', 'of stage'],
      ['doctor', 'that is remembered'],
    ] as const) {
      const { code, stderr } = await kraft([words, '--limit', 'onne'], { cwd: at.shop, env: env(at.home) })
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining(`--limit "onne" fits no node ${where}. Did you mean "one"?\nnext:  Its nodes: one, two`),
      ])
    }
  })

  it('a word that means nothing is a mistake of the command line', async () => {
    const { home, shop } = await place({ 'kraftwerk.yaml': yaml, 'nodes.yaml': nodes({ one: one() }) })
    const { code, stdout, stderr } = await kraft(['doctor:stgae'], { cwd: shop, env: env(home) })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('There is no environment or node "stgae". Did you mean "stage"?')
  })
})
