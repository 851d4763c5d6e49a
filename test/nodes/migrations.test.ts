import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Files, failure, writeFiles } from '../rig/cli.js'
import { ask } from '../rig/http.js'
import { flawless, underLoad } from '../rig/load-client.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

const first = `from django.db import migrations, models
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel('Book', [('id', models.AutoField(primary_key=True)), ('title', models.TextField())])]
`
const second = `from django.db import migrations, models
def nothing(apps, editor):
    pass
class Migration(migrations.Migration):
    dependencies = [('books', '0001_initial')]
    operations = [
        migrations.AddField('Book', 'pages', models.IntegerField(null=True)),
        migrations.RunPython(nothing),
    ]
`
const files: Files = {
  'kraftwerk.yaml': `name: books
wsgi: books.wsgi:application
packages: [django~=5.2.0, "psycopg[binary]~=3.2"]
domain: books.test
services: [postgres]
workers: 2
lock_timeout: 1
health: { path: /, tries: 3, timeout: 5, status: [200] }
environments: { stage: { nodes: [one] } }
`,
  'manage.py': `import os, sys
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'books.settings')
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
`,
  'books/__init__.py': '',
  'books/settings.py': `import os
SECRET_KEY = os.environ['SECRET_KEY']
ALLOWED_HOSTS = ['*']
ROOT_URLCONF = 'books.urls'
INSTALLED_APPS = ['books']
DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': os.environ['PGHOST'], 'NAME': os.environ['PGDATABASE']}}
DEFAULT_AUTO_FIELD = 'django.db.models.AutoField'
`,
  'books/urls.py': `import os
from django.db import connection
from django.http import HttpResponse
from django.urls import re_path
def release(request):
    with connection.cursor() as cursor:
        cursor.execute('SELECT count(*) FROM books_book')
    return HttpResponse(os.environ['KRAFT_RELEASE'], status=500 if os.path.exists('/etc/broken') else 200)
urlpatterns = [re_path('.*', release)]
`,
  'books/wsgi.py': `import os
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'books.settings')
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
`,
  'books/models.py': '',
  'books/migrations/__init__.py': '',
  'books/migrations/0001_initial.py': first,
}

let story: Story
let project: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'books')
  await writeFiles(project, files)
  await provisionPrepared(story, ['one'])
})
afterAll(() => story?.remove())

const kraft = (...args: string[]) => story.kraft(args, { cwd: project })
const applied = () => story.onNode('one', 'cat /etc/kraftwerk/books/migrations')

test('what is about to be migrated, and what check --deploy finds, is said before the release command runs', async () => {
  const { stderr } = await story.must(['deploy:stage'], { cwd: project })
  expect(stderr).toMatch(/check --deploy: .*\(security\.W\d+\)/)
  expect(stderr).toMatch(/pending: books\.0001_initial\n(.|\n)*Applying books\.0001_initial/)
  expect(await applied()).toMatch(/^\d{8}-\d{6} books\.0001_initial reversible\n$/)
})

test('a migration that waits for a lock gives up before requests wait long, says who holds it, and the site goes on', async () => {
  await writeFiles(project, { 'books/migrations/0002_pages.py': second })
  const hold = `BEGIN; SELECT count(*) FROM books_book; SELECT pg_sleep(90)`
  await story.onNode(
    'one',
    `systemd-run --quiet --unit=holder -p User=books psql -d books -c "SET application_name = 'report'" -c "${hold}"`,
  )
  const site = { address: await story.address('one'), host: 'books.test' }
  const { result, reports } = await underLoad(site, () => kraft('deploy:stage'), { quick: '/', slow: '/' })
  flawless(reports, { fresh: 10, kept: 10, slow: 5 })
  expect(result.code).toBe(1)
  const said = failure(result.stderr)
  expect(said).toContain('Applying books.0002_pages waited more than 1 s for a lock in PostgreSQL')
  expect(said).toMatch(/process \d+ \(report\) is active, its transaction is open for \d+ s: /)
  expect(said).toContain('Nothing was switched: books serves what it served before')
  expect(result.stderr).toContain('pending: books.0002_pages (irreversible')
  expect(await applied()).not.toContain('0002')
  await story.onNode(
    'one',
    `runuser -u postgres -- psql -qc "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'report'"`,
  )
})

test('a deploy that fails after it has migrated names what stays applied, and so can a rollback', async () => {
  const before = (await ask(await story.address('one'), { host: 'books.test', path: '/' })).text
  await story.onNode('one', 'touch /etc/broken')
  const ran = await kraft('deploy:stage')
  await story.onNode('one', 'rm /etc/broken')
  expect(ran.code).toBe(1)
  expect(failure(ran.stderr)).toMatch(
    /next: {2}Nothing was switched: .* has run; these migrations stay applied: books\.0002_pages \(which Django can't take back\)/,
  )
  expect(await applied()).toMatch(/\n\d{8}-\d{6} books\.0002_pages irreversible\n$/)

  const { stderr } = await story.must(['deploy:stage'], { cwd: project })
  expect(stderr).not.toContain('pending: ')
  const { migrationsOf, migrationsSince } = await import('../../recipes/migrations.js')
  const place = { name: 'books', home: '/web/books' }
  expect(await story.onNode('one', migrationsSince(place, before).text)).toBe('books.0002_pages irreversible\n')
  expect(await story.onNode('one', migrationsOf(place, before).text)).toBe('books.0001_initial reversible\n')
  const back = await story.must(['rollback:stage'], { cwd: project })
  expect(back.stdout).toContain("These migrations stay applied: books.0002_pages (which Django can't take back)")
  expect((await ask(await story.address('one'), { host: 'books.test', path: '/' })).text).toBe(before)
})

test('a release command that fails half-way names what it has migrated and what stays', async () => {
  const more = (before: string, field: string) =>
    second
      .replace('0001_initial', before)
      .replace(/\n +migrations.RunPython.*/, '')
      .replace("'pages'", `'${field}'`)
  await writeFiles(project, {
    'books/migrations/0003_weight.py': more('0002_pages', 'weight'),
    'books/migrations/0004_broken.py': more('0003_weight', 'weight'),
  })
  const ran = await kraft('deploy:stage')
  expect(ran.code).toBe(1)
  expect(failure(ran.stderr)).toMatch(
    /next: {2}Nothing was switched: [^;]*; these migrations stay applied: books\.0003_weight\. /,
  )
  await Promise.all(['0003_weight', '0004_broken'].map((name) => rm(join(project, `books/migrations/${name}.py`))))
})

test('a release command that is broken is told as before, whatever could not be foretold', async () => {
  await rm(join(project, 'books/migrations/0001_initial.py'))
  const ran = await kraft('deploy:stage')
  expect(ran.code).toBe(1)
  expect(ran.stderr).toContain('It could not be foretold: ')
  expect(failure(ran.stderr)).toContain('Nothing was switched: books serves what it served before')
})
