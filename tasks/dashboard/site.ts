import { readFile } from 'node:fs/promises'
import { type Context, Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { streamSSE } from 'hono/streaming'
import { findTemplate } from '../../engine/template/find.js'
import { entrance, type Key } from './entrance.js'
import type { LogFeed } from './log-feed.js'
import { environmentPage } from './pages/environment.js'
import { frame, type Page } from './pages/frame.js'
import { nodePage } from './pages/nodes.js'
import { overview } from './pages/overview.js'
import { streamFresh } from './stream-fresh.js'
import { streamLogs } from './stream-logs.js'
import type { Views } from './watch.js'

/** What the site shows. */
export interface Shown extends Views {
  listen(listener: () => void): () => void
  logs(word: string): Pick<LogFeed, 'listen'> | undefined
}

const files: Readonly<Record<string, string>> = {
  'style.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}

const policy = {
  defaultSrc: ["'self'"],
  baseUri: ["'none'"],
  objectSrc: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
}

/** The pages of a dashboard, for whoever has the key. */
export function site(shown: Shown, key: Key, version: string): Hono {
  const app = new Hono()
  app.use(secureHeaders({ contentSecurityPolicy: policy, strictTransportSecurity: false, xFrameOptions: 'DENY' }))
  app.use(async (context, next) => {
    await next()
    context.res.headers.set('cache-control', 'no-store')
  })
  app.use(entrance(key))
  const show = async (context: Context) => {
    const page = pageAt(context.req.path, shown)
    return page === undefined ? context.notFound() : context.html(await frame(page, shown, version))
  }
  app.get('/', show)
  app.get('/nodes/:name', show)
  app.get('/environments/:word', show)
  app.get('/fresh', (context) => {
    const path = context.req.query('page') ?? ''
    const render = async () => {
      const page = pageAt(path, shown)
      return page === undefined ? undefined : String(await page.live)
    }
    return streamSSE(context, (stream) => streamFresh(stream, render, (listener) => shown.listen(listener)))
  })
  app.get('/environments/:word/logs', (context) => {
    const feed = shown.logs(context.req.param('word'))
    const { log = '', text = '' } = context.req.query()
    return feed === undefined ? context.notFound() : streamSSE(context, (stream) => streamLogs(stream, feed, { log, text }))
  })
  for (const [name, type] of Object.entries(files)) {
    app.get(`/${name}`, async (context) => {
      const content = await readFile(findTemplate(`dashboard/${name}`), 'utf8')
      return context.body(content, 200, { 'content-type': type })
    })
  }
  app.notFound((context) => context.text('There is no such page.\n', 404))
  return app
}

/** The page that a path means; undefined where there is none. */
export function pageAt(path: string, views: Views): Page | undefined {
  if (path === '/') return overview(views)
  const [, room, name = ''] = /^\/(nodes|environments)\/([^/]+)$/.exec(path) ?? []
  const node = room === 'nodes' ? views.nodes.find((each) => encodeURIComponent(each.name) === name) : undefined
  if (node !== undefined) return nodePage(node, views)
  const environment =
    room === 'environments' ? views.environments.find((each) => encodeURIComponent(each.word) === name) : undefined
  return environment === undefined ? undefined : environmentPage(environment)
}
