import { execFile } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

const run = promisify(execFile)
const example = join(import.meta.dirname, '../plugin-example')
let folder: string
let shop: string

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'kraft-plugin-')))
  shop = join(folder, 'shop')
  await mkdir(shop)
  await writeFile(join(shop, 'package.json'), '{ "name": "shop", "private": true }\n')
  await run('npm', ['pack', '--pack-destination', folder], { cwd: example })
  const plugin = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? ''
  const install = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', [...install, inject('tarball'), join(folder, plugin)], { cwd: shop, maxBuffer: 2 ** 24 })
  await writeFile(join(shop, 'kraftfile.ts'), "export * from 'kraftwerk-notes'\n")
  await settings('[{ notes: { motto: be brief } }]')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const settings = (services: string) =>
  writeFile(join(shop, 'kraftwerk.yaml'), `wsgi: shop.wsgi:application\nservices: ${services}\n`)

async function kraft(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH, HOME: folder }
  return run(join(shop, 'node_modules/.bin/kraft'), args, { cwd: shop, env }).then(
    (said) => ({ code: 0, ...said }),
    (error) => ({ code: Number(error.code), stdout: String(error.stdout), stderr: String(error.stderr) }),
  )
}

describe('what an installed plugin exports and the kraftfile passes on', () => {
  it('is a task, with its doc comment for help', async () => {
    expect((await kraft('--list')).stdout).toMatch(/count-notes +Count the notes\./)
    expect((await kraft('help', 'count-notes')).stdout).toContain('Count the notes.')
  })

  it('is a service that kraftwerk.yaml may ask for, whose settings are checked with their place', async () => {
    const said = async (services: string) => {
      await settings(services)
      return (await kraft('deploy:nowhere')).stderr
    }
    expect(await said('[nots]')).toContain('Did you mean "notes"?')
    expect(await said('[notes]')).toMatch(
      /kraftwerk\.yaml:2:\d+: "services\.0\.notes\.motto" is missing: What the first note says/,
    )
    expect(await said('[{ notes: { moto: a } }]')).toMatch(/kraftwerk\.yaml:2:\d+: Unknown key "moto"\. Did you mean "motto"\?/)
    expect(await said('[{ notes: { motto: a, pages: 12 } }]')).toContain('at most 9')
    expect(await said('[{ notes: { motto: be brief } }]')).toContain('There is no environment or node "nowhere"')
  })

  it('is in the JSON Schema', async () => {
    const { properties } = JSON.parse((await kraft('schema')).stdout)
    const notes = properties.services.items.anyOf.find((each: { required?: string[] }) => each.required?.includes('notes'))
    expect(notes.properties.notes).toMatchObject({
      properties: {
        motto: { type: 'string', description: 'What the first note says', examples: ['be brief'] },
        pages: { type: 'number', maximum: 9, default: 3 },
      },
      required: ['motto'],
    })
  })

  it('is in the documentation of the settings, service and provider', async () => {
    expect((await kraft('settings', 'notes')).stdout).toBe(
      [
        'The service notes: a folder of notes that the application writes',
        '  motto  What the first note says (required; as in be brief)',
        '  pages  How many (default: 3)',
        '',
      ].join('\n'),
    )
    const page = (await kraft('settings', '--markdown')).stdout
    expect(page).toMatch(
      /\n#### notes\n\n\| Key .*\n.*\n\| `motto` \| What the first note says\. Required\. \| +\| `be brief` \|\n/,
    )
    expect(page).toMatch(/\n### shelf\n\nServers on a shelf, which is empty\.\n/)
  })

  it('is in completion', async () => {
    expect((await kraft('--complete', 'dump:one', '--only', 'n')).stdout).toMatch(/^notes\t/)
    expect((await kraft('--complete', 'count-')).stdout).toMatch(/^count-notes\tCount the notes\./)
  })

  it('is in the help of the tasks that name services and providers', async () => {
    expect((await kraft('help', 'dump')).stdout).toContain(
      'one of couchdb, files, memcached, mysql, notes, postgres, rabbitmq, redis, sqlite',
    )
    expect((await kraft('help', 'provision')).stdout).toContain(
      'one of digitalocean, ec2, hetzner, linode, local, openstack, shelf, static, vagrant',
    )
  })

  it('is a provider, with settings of its own', async () => {
    const made = await kraft('provision', 'one', '--provider', 'shelf', '--set', 'row=b')
    expect([made.code, made.stderr]).toEqual([1, expect.stringContaining('There is no server for one in row b')])
    const wrong = await kraft('provision', 'one', '--provider', 'shelf', '--set', 'rows=b')
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining('The provider shelf has no setting "rows". Did you mean "row"?'),
    ])
  })
})

it('a plugin that changed is never served stale', async () => {
  expect((await kraft('--list')).stdout).not.toContain('more-notes')
  await appendFile(
    join(shop, 'node_modules/kraftwerk-notes/index.js'),
    '\n/** More of them. */\nexport const moreNotes = task({ run: () => undefined })\n',
  )
  expect((await kraft('--list')).stdout).toMatch(/more-notes +More of them\./)
})
