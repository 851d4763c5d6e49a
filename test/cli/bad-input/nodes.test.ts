import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { generateHostKey } from '../../../engine/ssh/key-pair.js'
import { fingerprint, fromLine } from '../../../engine/ssh/public-key.js'
import { writeFiles } from '../../rig/cli.js'
import { type Sshd, startSshd } from '../../rig/sshd.js'
import { type Case, check, clear, down, inFolders, kraftfile, project, run, stage } from './refused.fixture.js'

inFolders()

describe.concurrent('says why a node is not reached, and what next', () => {
  test.each<Case>([
    [
      'deploy:stage',
      project(stage),
      3,
      'error: one: 127.0.0.1 port 1 refused the connection\nnext:  Is sshd running there, on that port?',
    ],
    [
      'status:stage',
      {
        ...kraftfile(
          `import { provider } from 'kraftwerk'\nexport const shelf = provider({ name: 'shelf', doc: 'ours', create: async () => { throw new Error('none') }, describe: async () => 'stopped', start: async (record) => record, destroy: async () => undefined })`,
        ),
        'nodes.yaml': stringify({ one: { ...down, provider: 'shelf' } }),
      },
      3,
      'error: one: 127.0.0.1 port 1 refused the connection\nnext:  It is stopped (shelf). Start it: kraft start:one',
    ],
    ['bootstrap:one', project(stage), 3, 'error: one: 127.0.0.1 port 1 refused the connection'],
    ['dump:stage', project(stage), 3, 'error: one: 127.0.0.1 port 1 refused the connection'],
    ['run:stage -- true', project(stage), 255, 'error: one: 127.0.0.1 port 1 refused the connection'],
    ['reload:stage --json', project(stage), 3, 'error: one: 127.0.0.1 port 1 refused the connection'],
    [
      'up:stage',
      kraftfile('export const up = task({ run: ({ $ }) => $`uptime` })'),
      3,
      'error: one: 127.0.0.1 port 1 refused the connection',
    ],
    [
      'up:stage',
      kraftfile(
        "export const up = task({ on: 'once', run: ({ target }) => Promise.all(target.nodes.map((node) => node.$`uptime`)) })",
      ),
      3,
      'error: one: 127.0.0.1 port 1 refused the connection',
    ],
  ])('for a node that is down: kraft %s', check)
})

describe('a node that answers', () => {
  let sshd: Sshd
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd?.stop())

  test.each([
    ['deploy:stage', 3],
    ['run:stage -- true', 255],
  ])('is refused with both fingerprints where its host key changed: kraft %s', async (command, code) => {
    const other = generateHostKey().publicKey
    const record = { ...down, port: sshd.port, host_keys: [other] }
    const ended = await run(command, { 'kraftwerk.yaml': stage, 'nodes.yaml': stringify({ one: record }) })
    const [shown, remembered] = [sshd.hostKeys[0] ?? '', other].map((line) => fingerprint(fromLine(line) ?? never(line)))
    expect(ended.said).toBe(
      `error: one: its host key changed: it shows ${shown} (ED25519), nodes.yaml remembers ${remembered} (ED25519)\n` +
        'next:  If you rebuilt one, correct its host_keys in nodes.yaml; if not, somebody may be listening in.',
    )
    expect(ended.code).toBe(code)
    clear(ended)
  })

  test('has no logs of what was never deployed', async () => {
    const record = { ...down, port: sshd.port, host_keys: sshd.hostKeys }
    const files = { 'kraftwerk.yaml': stage, 'nodes.yaml': stringify({ one: record }) }
    const ended = await run('logs:stage', files, async (here) => {
      const key = join(here, '../.kraftwerk/id_ed25519')
      await writeFiles(here, { '../.kraftwerk/id_ed25519': await readFile(sshd.identity, 'utf8') })
      await chmod(key, 0o600)
    })
    expect(ended.said).toBe('error: one: shop has no release there yet\nnext:  Deploy it first: kraft deploy:TARGET')
    expect(ended.code).toBe(1)
  })
})

function never(line: string): never {
  throw new Error(`This is no host key: ${line}`)
}
