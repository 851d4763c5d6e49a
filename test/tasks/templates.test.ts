import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { failure, kraft, writeFiles } from '../rig/cli.js'

let home: string
let project: string

beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'kraft-templates-')))
  project = join(home, 'shop')
  await writeFiles(home, {
    '.kraftwerk.yaml': 'templates: ~/mine\n',
    'mine/nginx/nginx.conf': 'of the user\n',
    'mine/nginx/site.conf.ejs': 'of the user\n',
    'shop/kraftwerk.yaml': 'wsgi: shop.wsgi:application\n',
    'shop/templates/nginx/site.conf.ejs': 'of the project\n',
    'shop/templates/reports.conf': 'its own\n',
  })
})
afterEach(() => rm(home, { recursive: true, force: true }))

const run = (args: string, cwd = project) => kraft(args.split(' '), { cwd, env: { HOME: home } })

describe('kraft templates', () => {
  it('says of each where it comes from: the project before the user before kraftwerk, file by file', async () => {
    const { stdout, code } = await run('templates --json')
    expect(code).toBe(0)
    const found: readonly { name: string; from: string; file: string }[] = JSON.parse(stdout)
    const of = (name: string) => found.find((each) => each.name === name)
    expect(of('nginx/site.conf')).toMatchObject({ from: 'project', file: join(project, 'templates/nginx/site.conf.ejs') })
    expect(of('reports.conf')).toMatchObject({ from: 'project' })
    expect(of('nginx/nginx.conf')).toMatchObject({ from: 'user', file: join(home, 'mine/nginx/nginx.conf') })
    expect(of('firewall/kraftwerk.nft')).toMatchObject({ from: 'kraftwerk' })
    expect(new Set(found.map(({ name }) => name)).size).toBe(found.length)
    const text = (await run('templates')).stdout
    expect(text).toMatch(/^nginx\/site\.conf +project +templates\/nginx\/site\.conf\.ejs$/m)
    expect(text).toMatch(/^firewall\/kraftwerk\.nft +kraftwerk {2}\/etc\/nftables\.d\/kraftwerk\.nft$/m)
    expect(of('nginx/unclaimed.conf')).toMatchObject({ to: '/etc/nginx/conf.d/00-unclaimed.conf', mode: '0644' })
  })

  it('outside of a project knows yours and its own', async () => {
    const { stdout } = await run('templates', home)
    expect(stdout).toMatch(/^nginx\/site\.conf +user +mine\/nginx\/site\.conf\.ejs$/m)
    expect(stdout).not.toContain('reports.conf')
  })
})

describe('kraft templates show', () => {
  it('says what a template is for, where it lands, which file is used and what it can name', async () => {
    const { stdout } = await run('templates show nginx/site.conf')
    expect(stdout).toContain(
      'Lands at /etc/nginx/sites-enabled/NAME.conf (root:root, 0600)\ntemplates/nginx/site.conf.ejs is used\n',
    )
    expect(stdout).toMatch(/^ {2}maxBody +Bytes that a request may have\.\n +number$/m)
    const { variables, from } = JSON.parse((await run('templates show nginx/unclaimed.conf.ejs --json')).stdout)
    expect(from).toBe('kraftwerk')
    expect(variables).toEqual([expect.objectContaining({ name: 'listen', type: 'string', optional: false })])
  })

  it('says of a part what it is part of, and of your own that it is one', async () => {
    expect((await run('templates show nginx/site.hsts.conf')).stdout).toContain(
      'A part of nginx/site.http.conf, nginx/balancer.conf',
    )
    expect((await run('templates show reports.conf')).stdout).toBe(
      'reports.conf is one of your own, or is copied as it is.\ntemplates/reports.conf is used\n',
    )
  })
})

describe('kraft templates eject', () => {
  it('copies what is used to where it wins, and nothing in a dry run', async () => {
    const file = join(project, 'templates/firewall/kraftwerk.nft.ejs')
    expect((await run('templates eject firewall/kraftwerk.nft --dry-run')).stdout).toContain(
      'to templates/firewall/kraftwerk.nft.ejs',
    )
    await expect(readFile(file)).rejects.toThrow('ENOENT')
    expect((await run('templates eject firewall/kraftwerk.nft')).stdout).toBe('templates/firewall/kraftwerk.nft.ejs\n')
    expect(await readFile(file, 'utf8')).toBe(
      await readFile(new URL('../../templates/firewall/kraftwerk.nft.ejs', import.meta.url), 'utf8'),
    )
    expect((await run('templates')).stdout).toMatch(/^firewall\/kraftwerk\.nft +project/m)
  })

  it('copies yours into the project, and into your folder from anywhere', async () => {
    await run('templates eject nginx/nginx.conf.ejs')
    expect(await readFile(join(project, 'templates/nginx/nginx.conf'), 'utf8')).toBe('of the user\n')
    const { stdout } = await run('templates eject apt/unattended-upgrades.conf', home)
    expect(stdout).toBe('mine/apt/unattended-upgrades.conf.ejs\n')
  })

  it('says so where the copy is not the one that is used', async () => {
    await rm(join(home, 'mine/nginx/site.conf.ejs'))
    const { stdout } = await run('templates eject nginx/site.conf --to user')
    expect(stdout).toContain('templates/nginx/site.conf.ejs stays the one that is used')
    expect(await readFile(join(home, 'mine/nginx/site.conf.ejs'), 'utf8')).toBe('of the project\n')
  })

  it.each([
    ['nginx/site.conf', 'error: templates/nginx/site.conf.ejs is there already'],
    ['nginx/nginx.conf --to user', '/mine/nginx/nginx.conf is there already'],
    ['nginx/nginx.cnf', 'there is no such template. Did you mean "nginx/nginx.conf"?'],
    ['../kraftwerk.yaml', 'there is no such template'],
  ])('refuses %s', async (args, said) => {
    const { stderr, code } = await run(`templates eject ${args}`)
    expect(failure(stderr)).toContain(said)
    expect(code).toBe(2)
    expect(await readFile(join(project, 'templates/nginx/site.conf.ejs'), 'utf8')).toBe('of the project\n')
  })

  it.each([
    ['templates eject nginx/site.conf --to project', 'There is no project here'],
    ['templates eject', 'Say which template'],
    ['templates show', 'Say which template to show'],
    ['templates list nginx', 'What it is: kraft templates show nginx. To copy it out: kraft templates eject nginx'],
  ])('says what to do instead of kraft %s', async (args, said) => {
    const { stderr, code } = await run(args, home)
    expect(stderr).toContain(said)
    expect(code).toBe(2)
  })

  it('needs a folder of yours to copy to', async () => {
    await rm(join(home, '.kraftwerk.yaml'))
    expect(failure((await run('templates eject nginx/site.conf', home)).stderr)).toContain('templates: ~/templates')
  })
})
