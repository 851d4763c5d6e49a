import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isGiven } from '../../../project/detect/required-variables.js'
import { seeProject } from '../../rig/see-project.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-variables-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const see = async (text: string, more: Readonly<Record<string, string>> = {}) =>
  (await seeProject(folder, { 'requirements.txt': 'flask\n', 'app.py': `${text}\napp = Flask("shop")\n`, ...more })).todos

it.each([
  ['KEY = os.environ["API_KEY"]', 'API_KEY'],
  ['KEY = env("API_KEY")', 'API_KEY'],
  ['DEBUG = env.bool("DEBUG")', 'DEBUG'],
  ['PORT = config("MAIL_PORT", cast=int)', 'MAIL_PORT'],
  ['if LIVE:\n    ONE, OTHER = env("ONE"), os.environ["OTHER"]', 'ONE, OTHER'],
])('%s needs what nobody has set', async (text, names) => {
  expect(await see(text)).toMatch(new RegExp(`^Read with no default: ${names}\\. Set (it|them): kraft env:stage set`))
})

it.each([
  'KEY = os.environ.get("API_KEY")',
  'KEY = env("API_KEY", default="")',
  'KEY = config("API_KEY", cast=str, default="")',
  'KEY = config("API_KEY", "none")',
  'env = Env(API_KEY=(str, ""))\nKEY = env("API_KEY")',
  'if "API_KEY" in os.environ:\n    KEY = os.environ["API_KEY"]',
  'os.environ["API_KEY"] = "made here"',
  '"""Reads os.environ["API_KEY"]."""',
  'def later():\n    return os.environ["API_KEY"]',
  'KEY = app.config("API_KEY")',
  'KEY = os.environ["SECRET_KEY"] + os.environ["DOMAIN"]',
])('%s needs nothing', async (text) => expect(await see(text)).toBe(''))

it('what a Procfile sets, and what only a local file reads, is not missing', async () => {
  const local = { 'settings/local.py': 'NAME = os.environ["MY_NAME"]\n', Procfile: 'web: MODE=live gunicorn app:app\n' }
  expect(await see('MODE = os.environ["MODE"]', local)).toBe('')
})

it('what the documentation says that an application finds is what counts as given', async () => {
  const page = await readFile(join(import.meta.dirname, '../../../docs/environment.md'), 'utf8')
  const rows = page.slice(0, page.indexOf("## In Django's settings")).split('\n')
  // What only a server elsewhere brings, and what only processes and cron have, is not there always.
  const told = rows.filter((row) => row.startsWith('|') && !/PORT`|KRAFT_PROCESS|KRAFT_CRON|MYSQL_HOST/.test(row))
  const columns = told.map((row) => row.split('|').slice(1, 3).join(' '))
  const names = columns.flatMap((text) => [...text.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name ?? ''))
  expect(names.length).toBeGreaterThan(30)
  expect(names.filter((name) => !isGiven(name))).toEqual([])
})
