import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { seeProject } from '../../../rig/see-project.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-flask-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const see = (text: string) =>
  seeProject(folder, { 'requirements.txt': 'flask\n', 'shop/__init__.py': `import os\napp = Flask(__name__)\n${text}\n` })

it.each([
  ['app = Flask("shop", static_url_path="/assets")', '/assets/'],
  ['app = Flask("shop", static_url_path="/static")', undefined],
  ['app = Flask("shop", static_url_path="")', undefined],
])('static files of %s', async (text, url) => {
  const { settings, places } = await see(text)
  expect(settings.static_url).toBe(url)
  expect(places['shop/__init__.py:3']).toMatch(/^static files at \//)
})

it.each([
  ['app.config["UPLOAD_FOLDER"] = "media/up"', ['media/up']],
  ['UPLOAD_FOLDER = os.path.join(os.path.dirname(__file__), "up")', ['shop/up']],
  ['class Config:\n    UPLOAD_FOLDER: str = "up"', ['up']],
  ['app.config.from_mapping(DEBUG=False, UPLOAD_FOLDER=os.path.join("media", "up"))', ['media/up']],
])('uploads by %s outlive releases, with what to do for more', async (text, shared) => {
  const { settings, todos } = await see(text)
  expect(settings).toMatchObject({ shared, services: [] })
  expect(todos).toContain('UPLOAD_FOLDER = os.environ["UPLOADS_PATH"] with services: [files]')
})

it('uploads in the folder that kraft has for them ask for it, and elsewhere for a look', async () => {
  expect(await see('UPLOAD_FOLDER = os.environ["UPLOADS_PATH"]')).toMatchObject({ settings: { services: ['files'] }, todos: '' })
  const { settings, todos } = await see('UPLOAD_FOLDER = "/srv/up"')
  expect([settings.shared, todos]).toEqual([[], expect.stringContaining("can't be told from here")])
})

it.each([
  ['app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"', ['instance'], 'It outlives releases'],
  ['SQLALCHEMY_DATABASE_URI = "sqlite:////tmp/shop.db"', [], "A release can't keep it where it is"],
])('SQLite by %s', async (text, shared, todo) => {
  const { settings, todos } = await see(text)
  expect([settings.shared, settings.services, todos]).toEqual([shared, [], expect.stringContaining(todo)])
})

it('an address from the environment is a service alone', async () => {
  const seen = await see('SQLALCHEMY_DATABASE_URI = os.environ.get("DATABASE_URL", "sqlite:///shop.db")')
  expect(seen).toMatchObject({ settings: { services: ['sqlite'], shared: [] }, todos: '' })
})
