import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { NodeRecord } from '../../../engine/node/record.js'
import { provider } from '../../../recipes/providers/local.js'
import type { Prepared } from '../../rig/container-base.js'
import { prepareDocker } from '../../rig/docker.js'
import { kraftErrorOf } from '../../rig/failure.js'
import { preparePodman } from '../../rig/podman.js'

// A node of the local provider in a real podman and a real Docker: what nspawn gives, through other engines.
const execute = promisify(execFile)
const work = { settings: {}, progress: () => undefined }
const engines = [
  ['podman', preparePodman],
  ['docker', prepareDocker],
] as const

describe.each(engines)('%s', (engine, prepare) => {
  const name = `kraftwerk-${engine}-test`
  const kept = { ...process.env }
  let prepared: Prepared | undefined
  let folder: string
  let publicKey: string

  const run = async (...args: string[]) => (await execute(engine, args)).stdout.trim()
  const create = (key = publicKey) =>
    provider.create({ name, publicKey: key, settings: { engine, user: 'debian' }, progress: () => undefined })
  const remains = async () =>
    `${await run('ps', '--all', '--quiet')}${await run('images', '--quiet', '--filter', 'reference=localhost/kraftwerk-snapshot/*')}`

  beforeAll(async () => {
    prepared = await prepare()
    Object.assign(process.env, prepared.environ)
    folder = await mkdtemp(join(tmpdir(), `kraft-${engine}-`))
    await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')])
    publicKey = await readFile(join(folder, 'key.pub'), 'utf8')
    // What a run that was killed has left.
    await execute(engine, ['rm', '--force', `kraft-${name}`]).catch(() => undefined)
  })
  afterAll(async () => {
    if (prepared !== undefined) await execute(engine, ['rm', '--force', `kraft-${name}`]).catch(() => undefined)
    await prepared?.stop()
    for (const key of Object.keys(prepared?.environ ?? {})) {
      if (kept[key] === undefined) delete process.env[key]
      else process.env[key] = kept[key]
    }
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })

  async function ssh(node: NodeRecord, command: string): Promise<string> {
    const known = join(folder, 'known')
    const [hostKey = ''] = node.host_keys
    await writeFile(known, `[127.0.0.1]:${node.port ?? 22} ${hostKey}\n${node.address} ${hostKey}\n`)
    const options = [
      'BatchMode=yes',
      'StrictHostKeyChecking=yes',
      `UserKnownHostsFile=${known}`,
      'GlobalKnownHostsFile=/dev/null',
    ]
    const port = ['-p', String(node.port ?? 22)]
    const given = ['-F', 'none', ...port, '-i', join(folder, 'key'), ...options.flatMap((each) => ['-o', each])]
    return (await execute('ssh', [...given, `${node.user}@${node.address}`, command])).stdout.trim()
  }

  test('a node is a Debian server whose key is known, is kept and put back, and leaves nothing', async () => {
    const node = await create()
    expect(node).toMatchObject({ name, provider: 'local', user: 'debian', made: { engine } })
    expect(await ssh(node, 'hostname; cat /proc/1/comm; sudo -n id -un; sudo systemctl is-system-running')).toBe(
      `${name}\nsystemd\nroot\nrunning`,
    )
    expect(await create()).toEqual(node)
    expect((await kraftErrorOf(create('ssh-ed25519 AAAAother'))).failure).toMatchObject({
      message: expect.stringContaining('was not made for this node with this key and user'),
    })
    expect((await provider.list?.({}))?.map((each) => each.name)).toContain(name)

    await ssh(node, 'sudo touch /kept')
    expect(await provider.snapshots?.take(node, 'clean', work)).toMatchObject({ name: 'clean', size: expect.any(Number) })
    await ssh(node, 'sudo rm /kept; sudo sh -c "rm /etc/ssh/ssh_host_*; ssh-keygen -qA"')
    const back = await provider.snapshots?.restore(node, 'clean', work)
    expect(back?.host_keys).toEqual(node.host_keys)
    expect(await ssh(back ?? node, 'ls /kept')).toBe('/kept')

    await run('kill', `kraft-${name}`)
    await expect.poll(() => provider.describe(back ?? node, {})).toBe('stopped')
    const again = await provider.start?.(back ?? node, work)
    expect(await ssh(again ?? node, 'ls /kept')).toBe('/kept')

    // Where the container's address can't be reached, as on macOS, this port of loopback leads there.
    const port = Number(node.made?.ports?.split(',')[0])
    expect(await ssh({ ...node, address: '127.0.0.1', port }, 'ls /kept')).toBe('/kept')

    await provider.destroy(again ?? node, {}, () => undefined)
    expect(await provider.describe(node, {})).toBe('missing')
    expect(await remains()).toBe('')
  })
})
