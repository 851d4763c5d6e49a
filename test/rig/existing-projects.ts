import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** How a project that knows nothing of kraft comes to a folder: the sources of a package, or what a program generates. */
const origins = {
  'web-httpbin': { sdist: 'httpbin==0.10.4', inside: '.' },
  'flask-page': { sdist: 'flask==3.1.3', inside: 'examples/javascript' },
  'flask-factory': { sdist: 'flask==3.1.3', inside: 'examples/celery' },
  'flask-tutorial': { sdist: 'flask==3.1.3', inside: 'examples/tutorial' },
  celery: { sdist: 'celery==5.7.0', inside: 'examples/django' },
  bepasty: { sdist: 'bepasty==1.2.2', inside: '.' },
  corner: { generator: 'coderedcms==6.0.0', command: ['coderedcms', 'start', 'corner'] },
  bakery: { generator: 'wagtail==7.0.3', command: ['wagtail', 'start', 'bakery'] },
  mysite: { generator: 'django==5.2.8', command: ['django-admin', 'startproject', 'mysite'] },
} as const

/** The name of an existing project. */
export type Existing = keyof typeof origins

/**
 * Puts an existing project into `home`, under its name, and returns its folder: from PyPI or by its own generator.
 *
 * @example const folder = await existingProject('httpbin', home)
 */
export async function existingProject(name: Existing, home: string): Promise<string> {
  const origin = origins[name]
  const folder = join(home, name)
  if ('generator' in origin) {
    const venv = await generator(origin.generator, home)
    await run(join(venv, 'bin', origin.command[0]), origin.command.slice(1), { cwd: home })
    rmSync(venv, { recursive: true })
    return folder
  }
  const away = mkdtempSync(join(tmpdir(), 'kraft-existing-'))
  await run('python3', ['-m', 'pip', 'download', '-q', '--no-deps', '--no-binary', ':all:', '-d', away, origin.sdist])
  mkdirSync(join(away, 'x'))
  await run('sh', ['-c', 'tar -xzf "$1"/*.tar.gz -C "$1/x" --strip-components=1', 'sh', away])
  renameSync(join(away, 'x', origin.inside), folder)
  rmSync(away, { recursive: true, force: true })
  return folder
}

async function generator(requirement: string, home: string): Promise<string> {
  const venv = join(home, '.generator')
  if (!existsSync(venv)) await run('python3', ['-m', 'venv', venv])
  await run(join(venv, 'bin/pip'), ['install', '-q', requirement])
  return venv
}
