import { Agent, request } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'

/** One answer that was as it should be. */
export interface Sample {
  /** Milliseconds of one clock. */
  readonly started: number
  readonly ended: number
  /** What the site answered: its release. */
  readonly release: string
  readonly path: string
}

/** What a load client saw. */
export interface LoadReport {
  /** Requests that were begun; each ended as a sample or as a failure. */
  readonly requests: number
  readonly samples: readonly Sample[]
  /** Whatever was not a whole answer with code 200: how often, by what it was. */
  readonly failures: Readonly<Record<string, number>>
  /** False: it came to its bounds before it was stopped, so it did not see all of what happened. */
  readonly untilStopped: boolean
}

/** What a load client asks for. */
export interface Load {
  readonly address: string
  /** 80 if left out. */
  readonly port?: number
  /** PEM by which a site over HTTPS is known; left out: HTTP. */
  readonly ca?: string
  /** The Host header. */
  readonly host: string
  /** Requests at the same time, each with a path of its own. */
  readonly paths: readonly string[]
  /** What an answer looks like; a release if left out. */
  readonly answer?: RegExp
  readonly keepAlive: boolean
  /** Bounds; 20,000 requests and 120 seconds if left out. */
  readonly most?: { readonly requests: number; readonly seconds: number }
}

/**
 * Starts to ask a site, again and again, until it is stopped. Nothing is ever asked twice: a request that fails is counted as
 * failed, with connection errors, resets, cut answers and codes other than 200 among the failures.
 */
export function startLoad(load: Load): { stop(): Promise<LoadReport> } {
  const {
    address,
    ca,
    port = ca === undefined ? 80 : 443,
    host,
    paths,
    keepAlive,
    answer = /^\d{8}-\d{6}$/,
    most = { requests: 20_000, seconds: 120 },
  } = load
  const kept = { keepAlive: true, maxSockets: paths.length }
  const agent = keepAlive ? (ca === undefined ? new Agent(kept) : new TlsAgent(kept)) : undefined
  const tls = ca === undefined ? {} : { ca, servername: host }
  const begin = ca === undefined ? request : tlsRequest
  const samples: Sample[] = []
  const failures: Record<string, number> = {}
  const end = performance.now() + most.seconds * 1000
  let requests = 0
  let stopped = false
  let exhausted = false

  const loops = paths.map(async (path) => {
    while (!stopped && !exhausted) {
      if (requests >= most.requests || performance.now() > end) {
        exhausted = true
        break
      }
      requests += 1
      const started = performance.now()
      try {
        samples.push({ started, release: await once(path), ended: performance.now(), path })
      } catch (error) {
        const what = `${path}: ${error instanceof Error ? ('code' in error ? String(error.code) : error.message) : String(error)}`
        failures[what] = (failures[what] ?? 0) + 1
      }
      await pause(10)
    }
  })

  function once(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { host, connection: keepAlive ? 'keep-alive' : 'close' }
      const asked = begin({ host: address, port, path, headers, agent: agent ?? false, timeout: 30_000, ...tls }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('error', reject)
        response.on('end', () => {
          const release = text.trim()
          if (response.statusCode !== 200) reject(new Error(`code ${response.statusCode}`))
          else if (!response.complete) reject(new Error('cut off'))
          else if (!answer.test(release)) reject(new Error(`another answer: ${release.slice(0, 40)}`))
          else resolve(release)
        })
      })
      asked.on('timeout', () => asked.destroy(new Error('no answer within 30 s')))
      asked.on('error', reject)
      asked.end()
    })
  }

  return {
    async stop() {
      stopped = true
      await Promise.all(loops)
      agent?.destroy()
      return { requests, samples, failures, untilStopped: !exhausted }
    },
  }
}

/** What {@link underLoad} asks for: the guestbook's own pages if left out. */
export interface Asked {
  readonly quick?: string
  readonly slow?: string
  readonly answer?: RegExp
}

/**
 * Does something while clients load a site in all ways (connections of their own, kept connections, slow requests that must not
 * be cut off), and returns what they saw with how it ended.
 */
export async function underLoad<T>(
  site: Pick<Load, 'address' | 'host' | 'ca'>,
  run: () => Promise<T>,
  { quick = '/release', slow = '/slow?seconds=1.5', ...answer }: Asked = {},
): Promise<{ result: T; reports: Readonly<Record<'fresh' | 'kept' | 'slow', LoadReport>> }> {
  const clients = {
    fresh: startLoad({ ...site, ...answer, paths: [quick, quick], keepAlive: false }),
    kept: startLoad({ ...site, ...answer, paths: [quick, quick], keepAlive: true }),
    slow: startLoad({ ...site, ...answer, paths: [slow], keepAlive: false }),
  }
  const stop = async () => {
    const [fresh, kept, slow] = await Promise.all([clients.fresh.stop(), clients.kept.stop(), clients.slow.stop()])
    return { fresh, kept, slow }
  }
  try {
    // What comes first must find a site under load already, and what it leaves is seen a little longer.
    await pause(300)
    const result = await run()
    await pause(700)
    return { result, reports: await stop() }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Throws unless a client ran all the time, often enough to say something, and every single request was answered well. */
export function flawless(reports: Readonly<Record<string, LoadReport>>, atLeast: Readonly<Record<string, number>>): void {
  for (const [name, report] of Object.entries(reports)) {
    const summary = `${name}: ${report.requests} requests, ${report.samples.length} good ones, failures ${JSON.stringify(report.failures)}`
    if (Object.keys(report.failures).length > 0 || report.samples.length !== report.requests) throw new Error(summary)
    if (!report.untilStopped) throw new Error(`${summary}; it came to its bounds before the end`)
    const least = atLeast[name]
    if (least === undefined || report.samples.length < least) {
      throw new Error(`${summary}; that is too few (at least ${least ?? 'an unnamed number'}) to prove anything`)
    }
  }
}

/** The releases that answered, in the order in which each was first seen. */
export function releasesSeen(reports: Readonly<Record<string, LoadReport>>): readonly string[] {
  return [...new Set(allSamples(reports).map(({ release }) => release))]
}

/** Requests that an older release answered although they were begun after the new one had already answered somebody. */
export function backslides(reports: Readonly<Record<string, LoadReport>>, release: string): readonly Sample[] {
  const samples = allSamples(reports)
  const first = samples.find((sample) => sample.release === release)?.ended ?? Number.POSITIVE_INFINITY
  return samples.filter((sample) => sample.started > first && sample.release !== release)
}

function allSamples(reports: Readonly<Record<string, LoadReport>>): readonly Sample[] {
  return Object.values(reports)
    .flatMap(({ samples }) => samples)
    .sort((a, b) => a.ended - b.ended)
}
