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
    expect(await settings({ 'code/shop/live.py': '', Procfile: 'web: gunicorn shop.live --chdir ./code\n' })).toMatchObject({
      wsgi: 'shop.live:application',
      src: 'code',
    })
    expect(await settings({ Procfile: `web: gunicorn "shop:create_app()" --workers 3\n` })).toMatchObject({
      wsgi: 'shop:create_app()',
    })
    expect((await see({ Procfile: 'web: uvicorn x:y\n' })).todos).toContain('something else than gunicorn')
  })

  it('how a Procfile has gunicorn serve is said in the words of kraft', async () => {
    const serves = async (web: string) => see({ ...app, 'code/shop/wsgi.py': '', Procfile: `web: ${web}\n` })
    const seen = await serves('gunicorn --chdir=./code --workers 3 -t 120 --threads=2 --graceful-timeout 20 shop.wsgi')
    expect(seen.settings).toMatchObject({
      wsgi: 'shop.wsgi:application',
      src: 'code',
      workers: 3,
      threads: 2,
      timeout: 120,
      drain: 20,
    })
    expect(seen.text).toContain('requests (Procfile:1).\nworkers: 3\n')
    expect(seen.text).not.toContain('GUNICORN_CMD_ARGS')
    // Heroku's variable says how many there are without it.
    expect((await serves('gunicorn -w ${WEB_CONCURRENCY:-4} app:app')).settings).toMatchObject({ workers: 4 })
    expect((await serves('gunicorn -w $WEB_CONCURRENCY --bind=:$PORT app:app')).text).toContain('\nworkers: 2\n')
    expect((await serves('PYTHONPATH=/app/code:lib gunicorn shop.wsgi')).settings).toMatchObject({ src: 'code', environ: {} })
    expect((await serves('APP=live gunicorn --env DEBUG=0 app:app')).text).toContain('environ:\n  APP: "live"\n  DEBUG: "0"\n')
    const other = 'environ: { GUNICORN_CMD_ARGS: "--worker-class gevent --timeout 0" }'
    expect((await serves('gunicorn -k gevent -t 0 --log-file - app:app')).todos).toContain(other)
  })

  it.each([
    ['gunicorn shop.asgi:application -k uvicorn.workers.UvicornWorker', 'shop.asgi:application is served as ASGI there'],
    [`gunicorn "shop:create_app('live')"`, `kraft can't take "shop:create_app('live')"`],
    ['gunicorn -c live.py', 'It names no callable: gunicorn -c live.py'],
  ])('a Procfile with %j names nothing that kraft could serve, and says why', async (web, why) => {
    const seen = await see({ ...app, 'requirements.txt': 'flask\n', Procfile: `web: ${web}\n` })
    expect(seen.settings.wsgi).toBe('app:app')
    expect(seen.todos).toContain(why)
  })

  it('what enters a virtualenv is left out of the commands of a Procfile', async () => {
    const seen = await see({ ...app, Procfile: 'release: poetry run flask db upgrade\nworker: uv run celery -A shop worker\n' })
    expect(seen.settings).toMatchObject({ release: 'flask db upgrade', processes: { worker: 'celery -A shop worker' } })
  })

  it('an application of ASGI is named as what kraft does not serve', async () => {
    const seen = await see({ 'requirements.txt': 'fastapi\n', 'main.py': 'from fastapi import FastAPI\n\napp = FastAPI()\n' })
    expect(seen.settings.wsgi).toBeUndefined()
    expect(seen.text).toContain('# - main.py:3: FastAPI speaks ASGI, and kraft serves WSGI')
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
