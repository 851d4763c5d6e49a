import { describe, expect, it } from 'vitest'
import type { LogListener } from '../../../tasks/dashboard/log-feed.js'
import { type Shown, site } from '../../../tasks/dashboard/site.js'
import { views } from './views.js'

const key = { token: 'the-token', cookie: 'kraft-1', session: 'the-session' }

/** A site, and the ways to make something happen on it. */
function siteOf(given: Partial<Shown> = {}) {
  const listeners = new Set<() => void>()
  const readers = new Set<LogListener>()
  const listenTo =
    <T>(all: Set<T>) =>
    (each: T) => {
      all.add(each)
      return () => void all.delete(each)
    }
  const shown: Shown = {
    ...views,
    listen: listenTo(listeners),
    logs: (word) => (word === 'live' ? { listen: listenTo(readers) } : undefined),
    ...given,
  }
  const app = site(shown, key, '1.2.3')
  const ask = (path: string, { headers = {}, ...more }: { headers?: Record<string, string>; method?: string } = {}) =>
    app.request(`http://127.0.0.1:8000${path}`, { headers: { host: '127.0.0.1:8000', ...headers }, ...more })
  const inside = { cookie: `${key.cookie}=${key.session}` }
  return { shown, listeners, readers, ask, inside, see: (path: string) => ask(path, { headers: inside }) }
}

describe('the entrance', () => {
  it('exchanges the token for a cookie that no script and no other site can use, and takes it from the address', async () => {
    const answer = await siteOf().ask('/nodes/one?token=the-token')
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/nodes/one'])
    expect(answer.headers.get('set-cookie')).toBe('kraft-1=the-session; Path=/; HttpOnly; SameSite=Strict')
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
  })

  it('shows nothing to who has none, another one, or the token in the place of the cookie', async () => {
    const { ask, inside } = siteOf()
    for (const [path, headers] of [
      ['/', {}],
      ['/style.css', {}],
      ['/?token=', {}],
      ['/?token=the-token2', {}],
      ['/?token=other', inside],
      ['/', { cookie: 'kraft-1=the-token' }],
      ['/', { cookie: 'kraft-2=the-session' }],
      ['/no-such-page', {}],
    ] as const) {
      const answer = await ask(path, { headers })
      expect([path, answer.status, (await answer.text()).includes('shop')]).toEqual([path, 401, false])
      expect(answer.headers.get('set-cookie')).toBeNull()
    }
  })

  it('refuses another host, which a DNS answer may have led here, also with the token', async () => {
    const { ask, inside } = siteOf()
    for (const host of ['evil.example:8000', '127.0.0.1.evil.example', 'localhost.evil.example:8000', '10.0.0.1:8000', ''])
      expect((await ask('/?token=the-token', { headers: { ...inside, host } })).status).toBe(403)
    for (const host of ['127.0.0.1:8000', 'localhost:9000', 'LOCALHOST'])
      expect((await ask('/', { headers: { ...inside, host } })).status).toBe(200)
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'])('knows no %s', async (method) => {
    const { ask, inside } = siteOf()
    const answer = await ask('/', { headers: inside, method })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET'])
  })
})

describe('the pages', () => {
  it('come with headers that let nothing in from outside and leave no copy', async () => {
    const { headers, status } = await siteOf().see('/')
    expect(status).toBe(200)
    expect(headers.get('content-security-policy')).toContain("default-src 'self';")
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  it('are there for each node and environment, and for nothing else', async () => {
    const { see } = siteOf()
    for (const path of ['/', '/nodes/one', '/environments/live', '/style.css', '/page.js', '/icon.svg'])
      expect([path, (await see(path)).status]).toEqual([path, 200])
    for (const path of [
      '/nodes/two',
      '/environments/one',
      '/environments/stage/logs',
      '/../package.json',
      '/%2e%2e/package.json',
    ])
      expect([path, (await see(path)).status]).toEqual([path, 404])
  })

  it('have no style and no script of their own, which the policy would refuse', async () => {
    const { see } = siteOf()
    for (const path of ['/', '/nodes/one', '/environments/live'])
      expect(await (await see(path)).text()).not.toMatch(/<style|<script(?! src="\/page\.js")| style=| on\w+=/)
  })

  it('send what they show anew when it has changed, and stop listening when they are closed', async () => {
    const nodes = [...views.nodes]
    const { see, listeners } = siteOf({ nodes })
    const { body } = await see('/fresh?page=/')
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toMatch(/^event: fresh\ndata: [\s\S]*>one<\/a>/)
    nodes.splice(0, 1, { ...views.nodes[0], name: 'renamed' } as Shown['nodes'][number])
    for (const listener of listeners) listener()
    expect((await reader?.read())?.value).toContain('>renamed</a>')
    await reader?.cancel()
    await expect.poll(() => listeners.size).toBe(0)
  })

  it('send lines of logs that are wanted as they come', async () => {
    const { see, readers } = siteOf()
    const { body } = await see('/environments/live/logs?log=worker&text=BAD')
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
    await expect.poll(() => readers.size).toBe(1)
    const entry = (log: string, text: string) => ({ node: 'one', log, time: 1, lines: [text] })
    for (const each of readers) {
      each.names(['web', 'worker.1'])
      each.lines([entry('web', 'bad'), entry('worker.1', 'good'), entry('worker.1', 'a bad\n</script>')])
    }
    expect((await reader?.read())?.value).toBe('event: names\ndata: ["web","worker.1"]\n\n')
    expect((await reader?.read())?.value).toBe(
      `event: lines\ndata: ${JSON.stringify([entry('worker.1', 'a bad\n</script>')])}\n\n`,
    )
    await reader?.cancel()
    await expect.poll(() => readers.size).toBe(0)
  })
})
