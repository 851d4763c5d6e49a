import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, describe as group, it } from 'vitest'
import type { Detected } from '../../../project/detect/finding.js'
import { seeProject } from '../../rig/see-project.js'

let folder: string

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'kraft-detect-')), 'shop')
  await mkdir(folder)
})
afterEach(() => rm(dirname(folder), { recursive: true, force: true }))

const see = (files: Readonly<Record<string, string>>) => seeProject(folder, files)
const settings = async (files: Readonly<Record<string, string>>): Promise<Detected> => (await see(files)).settings

group('files of other tools', () => {
  const app = { 'app.py': 'app = Flask("shop")\n' }

  it('a Procfile names the callable, the release command and processes', async () => {
    const seen = await see({
      ...app,
      'requirements.txt': 'flask\n',
      Procfile:
        'web: gunicorn -w 4 --bind 0.0.0.0:$PORT shop.web:create_app() --log-file -\nrelease: flask db upgrade\nworker: rq worker\nBig.One: no\n',
    })
    expect(seen.settings).toMatchObject({ release: 'flask db upgrade', processes: { worker: 'rq worker' } })
    expect(seen.places).toMatchObject({ 'Procfile:3': 'the process worker' })
    expect(await settings({ Procfile: 'web: gunicorn shop.live --chdir ./code\n' })).toMatchObject({
      wsgi: 'shop.live:application',
      src: 'code',
    })
    expect(await settings({ Procfile: `web: gunicorn "shop:create_app()" --workers 3\n` })).toMatchObject({
      wsgi: 'shop:create_app()',
    })
    expect((await see({ Procfile: 'web: uvicorn x:y\n' })).todos).toContain('something else than gunicorn')
  })

  it('a module that a Procfile names from the top stays one, also where its folder is no package', async () => {
    const web = 'from flask import Flask\napplication = Flask("shop")\n'
    const seen = await see({ 'requirements.txt': 'flask\n', Procfile: 'web: gunicorn shop.wsgi\n', 'shop/wsgi.py': web })
    expect(seen.settings).toMatchObject({ wsgi: 'shop.wsgi:application' })
    expect(seen.settings.src).toBeUndefined()
    expect(seen.places).not.toHaveProperty('shop/wsgi.py:2')
    // Where it is not at the top, what was seen of it says where.
    await rm(join(folder, 'shop/wsgi.py'))
    const deeper = await settings({
      'requirements.txt': 'flask\n',
      Procfile: 'web: cd code && gunicorn live\n',
      'code/live.py': web,
    })
    expect(deeper).toMatchObject({ src: 'code' })
  })

  it.each([
    [{ '.python-version': '3.13.1\n' }, '3.13'],
    [{ 'runtime.txt': 'python-3.12.4\n' }, '3.12'],
    [{ 'pyproject.toml': '[project]\nrequires-python = ">=3.12,<4"\n' }, '3.12'],
    [{ 'pyproject.toml': '[project]\nrequires-python = ">=3.9"\n' }, undefined],
  ])('the version of Python in %j', async (files, python) => {
    expect((await settings({ ...app, ...files })).python).toBe(python)
  })

  it('a Pipfile becomes packages, with its versions as pip writes them', async () => {
    const seen = await settings({
      ...app,
      Pipfile:
        '[packages]\nflask = "~=3.1"\npsycopg = {version = "*", extras = ["binary"]}\n[requires]\npython_version = "3.12"\n',
    })
    expect(seen).toMatchObject({ packages: ['flask~=3.1', 'psycopg[binary]'], python: '3.12', services: ['postgres'] })
  })

  it("Poetry's table is read at each deploy, so nothing of it is written twice", async () => {
    const seen = await see({
      ...app,
      'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.11"\nflask = "^3.1"\nredis = "*"\n',
    })
    expect(seen).toMatchObject({ framework: 'flask', settings: { packages: [], services: ['redis'] }, todos: '' })
    expect(seen.places).toMatchObject({ 'pyproject.toml:4': 'redis: redis is required' })
  })

  it.each([
    ['requirements.txt', 'flask\nredis>=5\n', 'requirements of 2 packages', 2],
    ['pyproject.toml', '[project]\nname = "shop"\ndependencies = ["flask",\n"redis>=5"]\n', 'requirements', 4],
    ['Pipfile', '[packages]\nflask = "*"\nredis = "*"\n', 'requirements of 2 packages', 3],
  ])('%s says what is required, and by that which services there are', async (file, text, what, line) => {
    const seen = await see({ ...app, [file]: text })
    expect(seen).toMatchObject({ framework: 'flask', settings: { services: ['redis'] } })
    expect(Object.values(seen.places)).toContain(what)
    expect(seen.places[`${file}:${line}`]).toBe('redis: redis is required')
  })

  it('what kraft does not read itself is named: uv.lock, requirements of one environment', async () => {
    expect((await see({ ...app, 'requirements/live.txt': 'flask\n' })).todos).toContain('-r requirements/live.txt')
    const locked = { 'pyproject.toml': '[project]\ndependencies = ["flask"]\n', 'uv.lock': 'version = 1\n' }
    expect((await see({ ...app, ...locked })).todos).toContain('uv export')
    expect((await see({ 'poetry.lock': '', 'Pipfile.lock': '{}' })).todos).toMatch(/poetry export[\s\S]*pipenv requirements/)
    expect((await see({ 'requirements.txt': 'flask\n' })).todos).toBe('')
  })

  it('celery says which worker is missing', async () => {
    const seen = await see({
      ...app,
      'requirements.txt': 'flask\ncelery\n',
      'shop/__init__.py': '',
      'shop/celery.py': 'app = Celery("shop")\n',
    })
    expect(seen.todos).toContain('celery -A shop worker }, and its broker to services: redis or rabbitmq')
    expect((await see({ 'requirements.txt': 'flask\ncelery\nredis\n' })).todos).toBe(
      'Add its worker, processes: { worker: celery -A shop worker }',
    )
  })
})
