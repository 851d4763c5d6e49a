import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { backslides, flawless, type LoadReport, startLoad } from './load-client.js'

const release = '20261122-120000'

/** Loads a server of one answer for a moment; `reached` are the requests that the server saw. */
async function load(listener: RequestListener, keepAlive: boolean): Promise<LoadReport & { reached: number }> {
  let reached = 0
  const server = createServer((request, response) => {
    reached += 1
    listener(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const place = server.address()
  if (place === null || typeof place === 'string') throw new Error('A TCP server has a port')
  const client = startLoad({ address: '127.0.0.1', port: place.port, host: 'site', paths: ['/', '/'], keepAlive })
  await pause(150)
  const report = await client.stop()
  server.closeAllConnections()
  server.close()
  return { ...report, reached }
}

const ways: readonly (readonly [what: string, listener: RequestListener, failure: string])[] = [
  ['a reset', (request) => void request.socket.resetAndDestroy(), '/: ECONNRESET'],
  ['a closed connection', (request) => void request.socket.destroy(), '/: ECONNRESET'],
  ['a code other than 200', (_, response) => void response.writeHead(502).end(release), '/: code 502'],
  ['another page', (_, response) => void response.end('hello'), '/: another answer: hello'],
  [
    'an answer that is cut off',
    (request, response) => {
      response.writeHead(200, { 'content-length': '400' })
      response.write(release)
      setTimeout(() => request.socket.destroy(), 5)
    },
    '/: ECONNRESET',
  ],
]

for (const keepAlive of [true, false]) {
  test.each(ways)(`%s is a failure, and nothing is asked again (keep-alive ${keepAlive})`, async (_, listener, failure) => {
    const report = await load(listener, keepAlive)
    expect(report.reached).toBe(report.requests)
    expect(report.failures).toEqual({ [failure]: report.requests })
    expect(() => flawless({ client: report }, { client: 0 })).toThrow('failures')
  })

  test(`good answers are counted with their release (keep-alive ${keepAlive})`, async () => {
    const report = await load((_, response) => void response.end(`${release}\n`), keepAlive)
    expect(report.samples.length).toBe(report.reached)
    expect(report.samples.every((sample) => sample.release === release)).toBe(true)
    flawless({ client: report }, { client: 5 })
    expect(() => flawless({ client: report }, { client: 1000 })).toThrow('too few')
  })
}

test('a server that is not there is a failure', async () => {
  const client = startLoad({ address: '127.0.0.1', port: 1, host: 'site', paths: ['/'], keepAlive: false })
  await pause(50)
  expect(Object.keys((await client.stop()).failures)).toEqual(['/: ECONNREFUSED'])
})

test('a client that came to its bounds proves nothing', async () => {
  const bounded = startLoad({
    address: '127.0.0.1',
    port: 1,
    host: 'site',
    paths: ['/'],
    keepAlive: false,
    most: { requests: 3, seconds: 9 },
  })
  await pause(200)
  const report = await bounded.stop()
  expect([report.requests, report.untilStopped]).toEqual([3, false])
  expect(() => flawless({ client: { ...report, requests: 0, failures: {} } }, { client: 0 })).toThrow('bounds')
})

test('an answer of the old release after the new one answered is noticed, one that was on its way is not', () => {
  const sample = (started: number, ended: number, name: string) => ({ started, ended, release: name, path: '/' })
  const samples = [sample(0, 1, 'old'), sample(2, 9, 'old'), sample(3, 4, 'new'), sample(5, 6, 'old')]
  const report: LoadReport = { requests: 4, samples, failures: {}, untilStopped: true }
  expect(backslides({ client: report }, 'new')).toEqual([sample(5, 6, 'old')])
})
