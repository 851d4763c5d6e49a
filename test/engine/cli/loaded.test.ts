import { copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { kraft, writeFiles } from '../../rig/cli.js'
import { type Sshd, startSshd } from '../../rig/sshd.js'

// What is loaded decides how long kraft takes to start. Times depend on the machine; this list does not.
const root = fileURLToPath(new URL('../../..', import.meta.url))

let sshd: Sshd
let home: string
beforeAll(async () => {
  sshd = await startSshd()
  home = await realpath(await mkdtemp(join(tmpdir(), 'kraft-loaded-')))
  const { name, ...record } = sshd.record
  await writeFiles(home, { '.kraftwerk/nodes.yaml': stringify({ [name]: { ...record, provider: 'local' } }) })
  await copyFile(sshd.identity, join(home, '.kraftwerk', 'id_ed25519'))
})
afterAll(async () => {
  await sshd.stop()
  await rm(home, { recursive: true, force: true })
})

/** A folder of its own, with these files. */
async function folder(name: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const path = join(home, name)
  await mkdir(path, { recursive: true })
  await writeFiles(path, files)
  return path
}

/** Runs kraft, and gives the packages that it loaded and its own files, as V8 counted them. */
async function loaded(cwd: string, ...args: string[]): Promise<{ packages: string[]; files: string[] }> {
  const coverage = await mkdtemp(join(home, 'coverage-'))
  const ended = await kraft(args, { cwd, env: { HOME: home, XDG_CACHE_HOME: '', NODE_V8_COVERAGE: coverage } })
  expect(ended).toMatchObject({ code: 0 })
  const urls = (await Promise.all((await readdir(coverage)).map((file) => readFile(join(coverage, file), 'utf8')))).flatMap(
    (text) => scripts(JSON.parse(text)),
  )
  const [packages, files] = [new Set<string>(), new Set<string>()]
  for (const url of urls.filter((each) => each.startsWith('file:'))) {
    const [, dependency] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url) ?? []
    if (dependency === undefined) files.add(url.replace(/^.*\/dist\//, ''))
    else packages.add(dependency)
  }
  return { packages: [...packages].sort(), files: [...files].sort() }
}

function scripts(report: { readonly result: readonly { readonly url: string }[] }): string[] {
  return report.result.map(({ url }) => url)
}

it('kraft --list loads nothing but a few files of its own once its cache is warm', async () => {
  const cwd = await folder('project', { 'kraftwerk.yaml': 'version: 1\nwsgi: example.wsgi:application\n' })
  await copyFile(join(root, 'kraftfile.example.ts'), join(cwd, 'kraftfile.ts'))
  await mkdir(join(cwd, 'node_modules'))
  await symlink(root, join(cwd, 'node_modules', 'kraftwerk'))
  expect((await kraft(['--list'], { cwd, env: { HOME: home, XDG_CACHE_HOME: '' } })).stdout).toContain('clear-cache')
  const { packages, files } = await loaded(cwd, '--list')
  expect(packages).toEqual([])
  expect(files).toEqual(['engine/list.js', 'engine/start.js', 'kraft.js'])
})

it('kraft --list loads no SDK and no ssh2, also where nothing is cached and nodes are made at EC2', async () => {
  await writeFiles(home, { '.kraftwerk.yaml': 'provider: ec2\n' })
  try {
    const { packages } = await loaded(await folder('unlisted'), '--list')
    expect(packages.filter((name) => /^@(aws-sdk|smithy)\/|^ssh2$/.test(name))).toEqual([])
  } finally {
    await rm(join(home, '.kraftwerk.yaml'))
  }
})

it('kraft --list without a kraftfile is cached as well', async () => {
  const cwd = await folder('bare')
  await kraft(['--list'], { cwd, env: { HOME: home, XDG_CACHE_HOME: '' } })
  expect((await loaded(cwd, '--list')).files).not.toContain('engine/core.js')
})

it('completion of a target loads nothing but a few files of its own once its cache is warm', async () => {
  const cwd = await folder('completed', { 'kraftwerk.yaml': 'version: 1\nwsgi: a.b:c\nenvironments: { stage: {} }\n' })
  const first = await kraft(['--complete', 'deploy:s'], { cwd, env: { HOME: home, XDG_CACHE_HOME: '' } })
  expect(first.stdout).toBe('deploy:stage\tno nodes yet\n')
  const { packages, files } = await loaded(cwd, '--complete', 'deploy:s')
  expect(packages).toEqual([])
  expect(files).toEqual(['engine/answer.js', 'engine/start.js', 'kraft.js'])
})

it('kraft run loads ssh2 and what reads nodes.yaml, in few files, and no provider', async () => {
  const { packages, files } = await loaded(await folder('outside'), 'run:one', '--', 'true')
  expect(packages).toContain('ssh2')
  for (const other of ['zx', 'listr2', 'cosmiconfig', 'jiti', 'ejs', 'smol-toml', '@clack/prompts', 'hono', '@hono/node-server'])
    expect(packages).not.toContain(other)
  expect(packages.filter((name) => /^@(aws-sdk|smithy)\//.test(name))).toEqual([])
  expect(files.filter((file) => /^(recipes|tasks)\/(?!kinds\.js)/.test(file))).toEqual(['tasks/run.js'])
  // To find, read and link a file takes most of a millisecond.
  expect(files.length).toBeLessThan(16)
})

it('kraft nodes loads the providers that its nodes have, and no ssh2', async () => {
  const { packages, files } = await loaded(await folder('outside'), 'nodes')
  for (const other of ['ssh2', 'zx', 'listr2', 'cosmiconfig', 'jiti']) expect(packages).not.toContain(other)
  expect(files).toContain('recipes/providers/local.js')
  expect(files.filter((file) => file.startsWith('recipes/providers/ec2'))).toEqual([])
})

it('a provider that ~/.kraftwerk.yaml sets nothing for is not loaded', async () => {
  await writeFiles(home, { '.kraftwerk.yaml': 'provider: ec2\ndefault_node: one\n' })
  try {
    const { files } = await loaded(await folder('outside'), 'run:one', '--', 'true')
    expect(files).toContain('recipes/providers/ec2.js')
    expect(files).not.toContain('recipes/providers/local.js')
  } finally {
    await rm(join(home, '.kraftwerk.yaml'))
  }
})

it('kraft ssh-options does not load ssh2: it only asks ssh', async () => {
  const { packages } = await loaded(await folder('options'), 'ssh-options', 'somewhere')
  expect(packages).not.toContain('ssh2')
})
