import { posix } from 'node:path'
import type { Finding } from '../../../project/detect/finding.js'
import { pathOf } from '../../../project/detect/python-path.js'
import { literal, variablesIn } from '../../../project/detect/python-source.js'
import { databaseOf } from '../../../project/detect/services.js'
import { lineOf, type ProjectTree } from '../../../project/detect/tree.js'
import { inspectDatabase } from './database.js'
import { type DjangoSettings, readSettings, type Setting } from './settings.js'
import { settingsModule } from './settings-module.js'

/**
 * What Django's own files say of a project: the WSGI application, where static files and uploads are, the database, caches, and
 * what in the settings would keep a node from answering.
 */
export function inspectDjango(tree: ProjectTree): readonly Finding[] {
  const manage = tree.files.find((file) => /(^|\/)manage\.py$/.test(file))
  if (manage === undefined) return []
  const root = posix.dirname(manage) === '.' ? '' : posix.dirname(manage)
  const read = (path: string) => tree.read(posix.join(root, path))
  const early = settingsModule({ read }, '')
  const wsgi = wsgiOf(tree, root, early)
  const module = settingsModule({ read }, wsgi?.sets?.wsgi ?? '')
  const settings = readSettings(tree, root, module)
  const src = root === '' ? [] : [{ what: `manage.py in ${root}/`, file: manage, sets: { src: root } }]
  return [
    ...src,
    ...(wsgi === undefined ? [] : [wsgi]),
    ...settingsFinding(settings, module, tree, root),
    ...inspectDatabase(settings, databaseOf(tree.requires)),
    ...cachesOf(settings),
    ...staticOf(settings),
    ...mediaOf(settings),
    ...refusing(settings),
    ...newPython(tree),
    ...unrequired(tree, settings),
  ]
}

function wsgiOf(tree: ProjectTree, root: string, settings: string): Finding | undefined {
  const named = readSettings(tree, root, settings).get('WSGI_APPLICATION')
  const path = named === undefined ? undefined : literal(named.value)
  if (named !== undefined && path?.includes('.') === true) {
    const wsgi = path.replace(/\.(\w+)$/, ':$1')
    return { what: `the WSGI application ${wsgi}`, file: named.file, line: named.line, sets: { wsgi } }
  }
  const file = tree.files.find((each) => each.startsWith(root) && /(^|\/)wsgi\.py$/.test(each))
  if (file === undefined) return undefined
  const wsgi = `${posix.relative(root, file).replace(/\.py$/, '').replaceAll('/', '.')}:application`
  return { what: `the WSGI application ${wsgi}`, file, line: 1, sets: { wsgi } }
}

function settingsFinding(settings: DjangoSettings, module: string, tree: ProjectTree, root: string): readonly Finding[] {
  const path = posix.join(root, module.replaceAll('.', '/'))
  const file = [`${path}.py`, `${path}/__init__.py`].find((each) => tree.read(each) !== undefined)
  if (file === undefined) return []
  const debug = settings.get('DEBUG')
  const found: Finding = { what: `Django's settings ${module}`, file }
  if (debug?.value !== 'True') return [found]
  const todo =
    'DEBUG is True there, which shows visitors the source; for live name other settings in environ: DJANGO_SETTINGS_MODULE'
  return [found, { what: 'DEBUG', ...placed(debug), todo }]
}

function cachesOf(settings: DjangoSettings): readonly Finding[] {
  const found: Finding[] = []
  for (const name of ['CACHES', 'CELERY_BROKER_URL', 'BROKER_URL', 'CHANNEL_LAYERS', 'RQ_QUEUES']) {
    const setting = settings.get(name)
    const { value = '' } = setting ?? {}
    const service = /redis/i.test(value)
      ? 'redis'
      : /memcache/i.test(value)
        ? 'memcached'
        : /amqp/i.test(value)
          ? 'rabbitmq'
          : undefined
    if (setting === undefined || service === undefined) continue
    const fixed = variablesIn(value).length === 0 && /:\/\/|localhost|127\.0\.0\.1/.test(value)
    const variable = { redis: 'REDIS_URL', memcached: 'MEMCACHED_LOCATION', rabbitmq: 'AMQP_URL' }[service]
    const todo = `${name} has a fixed address: take os.environ["${variable}"] there, which kraft sets`
    found.push({ what: `${service}: ${name}`, ...placed(setting), sets: { services: [service] }, ...(fixed ? { todo } : {}) })
  }
  return found
}

function staticOf(settings: DjangoSettings): readonly Finding[] {
  const setting = settings.get('STATIC_URL')
  const value = setting === undefined ? undefined : literal(setting.value)
  if (setting === undefined || value === undefined) return []
  const url = `/${value.replace(/^\/+/, '')}`
  const what = `static files at ${url}`
  // Another host serves them then, or the site lies below a path of its own.
  if (!/^\/([A-Za-z0-9_~-][A-Za-z0-9._~-]*\/)+$/.test(url)) return [{ what: `static files at ${value}`, ...placed(setting) }]
  return [{ what, ...placed(setting), ...(url === '/static/' ? {} : { sets: { static_url: url } }) }]
}

function mediaOf(settings: DjangoSettings): readonly Finding[] {
  const setting = settings.get('MEDIA_ROOT')
  if (setting === undefined || setting.value === '""' || setting.value === "''") return []
  if (variablesIn(setting.value).includes('UPLOADS_PATH')) {
    return [{ what: 'uploads: UPLOADS_PATH is read', ...placed(setting), sets: { services: ['files'] } }]
  }
  const path = pathOf(setting.value, setting.file, settings)
  const next = 'MEDIA_ROOT = os.environ["UPLOADS_PATH"] and MEDIA_URL = os.environ["UPLOADS_URL"] with services: [files]'
  if (path === undefined || path.startsWith('..') || path === '.') {
    return [
      { what: 'uploads', ...placed(setting), todo: `Their folder can't be told from here; kraft has one for them: ${next}` },
    ]
  }
  const todo = `They outlive releases, but only this has nginx serve and dump take them: ${next}`
  return [{ what: `uploads in ${path}/`, ...placed(setting), sets: { shared: [path] }, todo }]
}

function refusing(settings: DjangoSettings): readonly Finding[] {
  const hosts = settings.get('ALLOWED_HOSTS')
  const debug = settings.get('DEBUG')?.value === 'True'
  const list = hosts === undefined ? '[]' : hosts.value.replaceAll(/\s/g, '')
  const fixed = /^[[(]([^\w*]|["'](localhost|127\.0\.0\.1|\[::1\]|\.localhost|0\.0\.0\.0)["'])*[\])]$/.test(list)
  if (!fixed) return []
  const answer = debug ? 'Only localhost gets an answer' : 'Nobody gets an answer but 400'
  const todo = `${answer} from a node: ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")`
  const place = hosts ?? [...settings.values()][0]
  return place === undefined ? [] : [{ what: 'ALLOWED_HOSTS', ...placed(place), todo }]
}

// Django 6 asks for a newer Python than Debian 12 brings.
function newPython(tree: ProjectTree): readonly Finding[] {
  const text = tree.read('requirements.txt') ?? ''
  const row = text.split('\n').findIndex((each) => /^\s*django\s*(\[.*\])?\s*(==|>=|~=|>)\s*6\b/i.test(each))
  return row === -1
    ? []
    : [{ what: 'Django 6, which needs Python 3.12', file: 'requirements.txt', line: row + 1, sets: { python: '3.12' } }]
}

// `startproject` writes no requirements, but which Django it was.
function unrequired(tree: ProjectTree, settings: DjangoSettings): readonly Finding[] {
  const installed = settings.get('INSTALLED_APPS')
  if (tree.requires.size > 0 || installed === undefined) return []
  const { file, value } = installed
  const text = tree.read(file) ?? ''
  const made = /using Django (\d+\.\d+(?:\.\d+)?)/
  const version = made.exec(text)?.[1]
  const packages = [version === undefined ? 'django' : `django~=${version.split('.').length === 2 ? `${version}.0` : version}`]
  const found: Finding = { what: 'Django, and no requirements', file, line: lineOf(text, made) ?? 1, sets: { packages } }
  const others = notOfTheProject(tree, value)
  if (others.length === 0) return [found]
  const todo = `Nothing requires ${others.join(', ')}: write a requirements.txt, or add what brings them to packages`
  return [found, { what: 'applications of others', ...placed(installed), todo }]
}

// Whose package brings an application can't be told by its name.
function notOfTheProject(tree: ProjectTree, apps: string): readonly string[] {
  const names = [...apps.matchAll(/["']([A-Za-z_]\w*)(?:\.[\w.]+)?["']/g)].flatMap(([, name]) => name ?? [])
  const own = (name: string) => tree.files.some((path) => new RegExp(`(^|/)${name}(\\.py|/__init__\\.py)$`).test(path))
  return [...new Set(names)].filter((name) => name !== 'django' && !own(name))
}

function placed({ file, line }: Setting): { readonly file: string; readonly line: number } {
  return { file, line }
}
