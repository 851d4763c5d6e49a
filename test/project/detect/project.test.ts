import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, describe as group, it } from 'vitest'
import { isKraftError } from '../../../engine/errors/failure.js'
import { projectName } from '../../../project/detect/describe.js'
import type { Detected } from '../../../project/detect/finding.js'
import { inspectProject } from '../../../project/detect/project.js'
import { writeNew } from '../../../project/detect/write.js'
import { writeFiles } from '../../rig/cli.js'
import { seeProject } from '../../rig/see-project.js'

let folder: string

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'kraft-detect-')), 'shop')
  await mkdir(folder)
})
afterEach(() => rm(dirname(folder), { recursive: true, force: true }))

const write = (files: Readonly<Record<string, string>>) => writeFiles(folder, files)
const see = (files: Readonly<Record<string, string>>) => seeProject(folder, files)
const settings = async (files: Readonly<Record<string, string>>): Promise<Detected> => (await see(files)).settings

const manage = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\nfrom django.core.management import x\n'
const django = (text: string, requirements = 'django\n') => ({
  'manage.py': manage,
  'requirements.txt': requirements,
  'shop/__init__.py': '',
  'shop/wsgi.py': 'application = get_wsgi_application()\n',
  'shop/settings.py': `from pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent.parent\nALLOWED_HOSTS = ["*"]\n${text}`,
})

group('Django', () => {
  it('is told by manage.py, with the application that its settings name', async () => {
    const seen = await see(django('WSGI_APPLICATION = "shop.web.app"\n'))
    expect(seen).toMatchObject({ framework: 'django', settings: { wsgi: 'shop.web:app' } })
    expect(seen.places).toMatchObject({ 'shop/settings.py:4': 'the WSGI application shop.web:app' })
    expect(seen.text).toContain('(shop/settings.py:4)')
    await rm(join(folder, 'shop/settings.py'))
    expect(await settings({})).toMatchObject({ wsgi: 'shop.wsgi:application' })
  })

  it('in a folder of its own makes that src', async () => {
    const files = Object.entries(django('')).map(([path, text]) => [path === 'requirements.txt' ? path : `site/${path}`, text])
    expect(await see(Object.fromEntries(files))).toMatchObject({
      framework: 'django',
      settings: { src: 'site', wsgi: 'shop.wsgi:application' },
    })
  })

  it.each([
    ['DATABASES = {"default": dj_database_url.config()}', 'psycopg[binary]', 'postgres'],
    ['DATABASES = {"default": dj_database_url.config()}', 'mysqlclient', 'mysql'],
    ['DATABASES = {"default": env.db("DATABASE_URL")}', '', 'sqlite'],
    ['DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": os.environ["PGHOST"]}}', '', 'postgres'],
    ['DATABASES = {}\nDATABASES["default"] = env.db("DATABASE_URL")', 'psycopg2-binary', 'postgres'],
  ])('%s with %j asks for a database', async (text, driver, service) => {
    const seen = await see(django(`${text}\n`, `django\n${driver}\n`))
    expect(seen.settings.services).toEqual([service])
    expect(seen.todos).toBe('')
  })

  it('a database whose address is in the settings asks for it and says what to read', async () => {
    const seen = await see(django('DATABASES = {\n  "default": {"ENGINE": "django.db.backends.mysql", "NAME": "shop"},\n}\n'))
    expect(seen.settings.services).toEqual(['mysql'])
    expect(seen.text).toContain('# - shop/settings.py:4: DATABASES should read what kraft sets')
  })

  it('a SQLite file and uploads in the project outlive releases; a comment counts for nothing', async () => {
    const seen = await see(
      django(`
# MEDIA_ROOT = "/nowhere"
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(BASE_DIR, "data", "db.sqlite3")},
}
MEDIA_ROOT = str(BASE_DIR / "media")
STATIC_URL = 'assets/'
`),
    )
    expect(seen.settings).toMatchObject({ shared: ['data/db.sqlite3', 'media'], static_url: '/assets/', services: [] })
  })

  it('settings in a package: what is imported counts, the last word wins', async () => {
    const { 'shop/settings.py': _one, ...files } = django('')
    const seen = await see({
      ...files,
      'manage.py': manage.replace('shop.settings', 'shop.settings.live'),
      'shop/settings/__init__.py': '',
      'shop/settings/base.py': 'STATIC_URL = "/base/"\nALLOWED_HOSTS = ["*"]\nMEDIA_ROOT = os.environ["UPLOADS_PATH"]\n',
      'shop/settings/live.py': 'from .base import *\nSTATIC_URL = "/live/"\n',
    })
    expect(seen.settings).toMatchObject({ static_url: '/live/', services: ['files'] })
    expect(seen.places).toMatchObject({ 'shop/settings/live.py': "Django's settings shop.settings.live" })
  })

  it('without requirements asks for the Django that has made it', async () => {
    const { 'requirements.txt': _none, ...files } = django('')
    const made = `"""\nGenerated by 'django-admin startproject' using Django 5.2.8.\n"""\nINSTALLED_APPS = []\n`
    const seen = await see({ ...files, 'shop/settings.py': made })
    expect(seen.settings.packages).toEqual(['django~=5.2.8'])
    expect(seen.places).toMatchObject({ 'shop/settings.py:2': 'Django, and no requirements' })
  })

  it('caches and brokers ask for redis and memcached', async () => {
    const text = 'CACHES = {"default": {"BACKEND": "x.PyMemcacheCache", "LOCATION": os.environ["MEMCACHED_LOCATION"]}}\n'
    expect((await settings(django(`${text}CELERY_BROKER_URL = os.environ["REDIS_URL"]\n`))).services).toEqual([
      'memcached',
      'redis',
    ])
    expect((await see(django('CELERY_BROKER_URL = "redis://localhost:6379"\n'))).todos).toContain('os.environ["REDIS_URL"]')
  })

  it('a broker with a fixed address is said once, and known to the worker', async () => {
    const text = 'CELERY_BROKER_URL = "amqp://guest:guest@localhost"\n'
    const seen = await see({ ...django(text, 'django\ncelery\n'), 'shop/celery.py': 'app = Celery("shop")\n' })
    expect(seen.settings.services).toEqual(['rabbitmq'])
    expect(seen.todos.split('\n')).toEqual([
      'CELERY_BROKER_URL has a fixed address: take os.environ["AMQP_URL"] there, which kraft sets',
      'Add its worker, processes: { worker: celery -A shop worker }',
    ])
  })

  it('a SQLite file that the environment may name is where the settings have it without', async () => {
    const name = 'os.environ.get("DATABASE_NAME", os.path.join(BASE_DIR / "db" / "shop.db"))'
    const seen = await see(
      django(`DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ${name}, "HOST": ""}}\n`),
    )
    expect(seen.settings.shared).toEqual(['db/shop.db'])
  })

  it('applications of others that nothing requires are named', async () => {
    const apps = 'INSTALLED_APPS = ["django.contrib.admin", "shop", "mezzanine.boot", "mezzanine.conf", "stripe"]\n'
    const { 'requirements.txt': _none, ...files } = django(apps)
    const seen = await see(files)
    expect(seen.settings.packages).toEqual(['django'])
    expect(seen.todos).toContain('Nothing requires mezzanine, stripe: write a requirements.txt')
  })

  it('settings that would answer nobody are named with the remedy', async () => {
    const seen = await see({ ...django(''), 'shop/settings.py': 'DEBUG = True\nALLOWED_HOSTS = []\n' })
    expect(seen.text).toContain('# - shop/settings.py:2: Only localhost gets an answer')
    expect(seen.text).toContain('# - shop/settings.py:1: DEBUG is True there')
  })
})

group('other callables', () => {
  it.each([
    ['app.py', 'from flask import Flask\napp = Flask(__name__)\n', 'app:app', undefined],
    ['shop/__init__.py', 'def create_app(config=None):\n    app = Flask(__name__)\n', 'shop:create_app()', undefined],
    ['src/shop/__init__.py', 'application: Flask = flask.Flask("shop")\n', 'shop:application', 'src'],
    ['wsgi.py', 'from shop import make\napp = make()\n', 'wsgi:app', undefined],
  ])('Flask in %s', async (path, text, wsgi, src) => {
    const seen = await see({ 'requirements.txt': 'Flask>=3\n', [path]: text, 'tests/wsgi.py': 'application = Flask("no")\n' })
    expect(seen).toMatchObject({ framework: 'flask', settings: { wsgi } })
    expect(seen.settings.src).toBe(src)
  })

  it('a factory comes before what a script at the top makes of it, and packages in src/ are on the path of both', async () => {
    const files = {
      'requirements.txt': 'flask\n',
      'make_celery.py': 'from shop import create_app\nflask_app = create_app()\n',
      'src/shop/__init__.py': 'def create_app() -> Flask:\n    return Flask("shop")\n',
    }
    expect(await settings(files)).toMatchObject({ wsgi: 'shop:create_app()', src: 'src' })
    expect(await settings({ 'wsgi.py': files['make_celery.py'] })).toMatchObject({ wsgi: 'wsgi:flask_app', src: 'src' })
  })

  it('a factory that wants arguments is none', async () => {
    const seen = await see({ 'requirements.txt': 'flask\n', 'shop/__init__.py': 'def create_app(config):\n    pass\n' })
    expect(seen.settings.wsgi).toBeUndefined()
    expect(seen.text).toContain('# wsgi: shop.wsgi:application')
  })

  it.each([
    ['bottle\n', 'app = bottle.default_app()\n', 'site:app'],
    ['falcon\n', 'app = falcon.App()\n', 'site:app'],
    ['', 'def application(environ, start_response):\n    pass\n', 'site:application'],
  ])('any WSGI callable: requirements %j', async (requirements, text, wsgi) => {
    expect(await see({ 'requirements.txt': requirements, 'site.py': text })).toMatchObject({
      framework: 'wsgi',
      settings: { wsgi },
    })
  })

  it("Flask's instance folder outlives releases", async () => {
    const text = 'app = Flask(__name__, instance_relative_config=True)\n'
    expect((await settings({ 'requirements.txt': 'flask\n', 'app.py': text })).shared).toEqual(['instance'])
  })
})

it('a program without requirements says so', async () => {
  expect((await see({ 'app.py': 'app = make_app()\n' })).text).toContain('# - requirements.txt: Write one')
})

it('a folder without Python is refused', async () => {
  await write({ 'index.html': '' })
  expect(() => inspectProject(folder, [])).toThrow('There is no Python project in')
})

it('a kraftwerk.yaml that is there stays as it is, and nothing else is left', async () => {
  await write({ 'kraftwerk.yaml': 'mine' })
  const error = await writeNew(folder, 'other').catch((thrown: unknown) => thrown)
  expect(isKraftError(error) && error.failure).toMatchObject({
    kind: 'usage',
    message: expect.stringContaining('is there already'),
  })
  expect(await readdir(folder)).toEqual(['kraftwerk.yaml'])
  expect(await readFile(join(folder, 'kraftwerk.yaml'), 'utf8')).toBe('mine')
})

it.each([
  ['/srv/My Shop', 'my-shop'],
  ['/srv/mysql', 'mysql-site'],
  ['/srv/2048', 'project'],
  [`/srv/${'long'.repeat(9)}`, 'longlonglonglonglong'],
])('the folder %s makes the project %s', (path, name) => {
  expect(projectName(path)).toBe(name)
})
