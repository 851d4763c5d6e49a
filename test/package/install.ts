import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** An empty project in which the packed kraftwerk is installed. */
    readonly installed: string
    /** The tarball. */
    readonly tarball: string
    /** The files in the tarball. */
    readonly packed: readonly string[]
  }
}

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const prefix = 'kraft-package-'
let folder = ''

/** Builds, packs and installs kraftwerk once for all tests of the package. */
export async function setup({ provide }: TestProject): Promise<void> {
  await removeLeftovers()
  folder = await realpath(await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`)))
  await run(process.execPath, [join(root, 'scripts/build.mjs')])
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: root })
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error(`npm pack made nothing:\n${stdout}`)
  const { stdout: list } = await run('tar', ['-tzf', join(folder, tarball)])
  const installed = join(folder, 'project')
  await mkdir(installed)
  await writeFile(join(installed, 'package.json'), '{ "name": "empty", "private": true }\n')
  const install = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', join(folder, tarball)]
  await run('npm', install, { cwd: installed, maxBuffer: 2 ** 24 })
  provide('installed', installed)
  provide('tarball', join(folder, tarball))
  provide(
    'packed',
    list
      .trim()
      .split('\n')
      .map((name) => name.replace(/^package\//, '')),
  )
}

/** Removes what {@link setup} made. */
export async function teardown(): Promise<void> {
  if (folder !== '') await rm(folder, { recursive: true, force: true })
}

/** A run that was killed leaves its folder; the name tells whose it was. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = name.match(new RegExp(`^${prefix}(\\d+)-`))?.[1]
    if (owner !== undefined && !isAlive(Number(owner)) && existsSync(join(tmpdir(), name))) {
      await rm(join(tmpdir(), name), { recursive: true, force: true })
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
