import { Agent, request } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'

/** What a load of constant rate saw. */
export interface RateReport {
  /** Requests that were due by the clock. */
  readonly due: number
  readonly offered: number
  readonly answered: number
  /** Whatever was not a whole answer with code 200, also errors of a connection: how often, by what it was. */
  readonly failures: Readonly<Record<string, number>>
  /** Which releases answered how often, apart for what was asked before the first call of `next`, then before the second, … */
  readonly periods: readonly ReadonlyMap<string, number>[]
  /** Milliseconds. */
  readonly slowest: number
}

/**
 * Asks a site at a constant rate, as a rule over kept connections, until it is stopped, however slow the answers are; nothing is ever asked
 * twice. Bounded: it stops by itself after `seconds`.
 */
export function startConstantLoad(
  site: {
    readonly address: string
    readonly port?: number
    readonly host: string
    readonly paths: readonly string[]
    /** The certificate, in PEM, of a site that is asked over HTTPS. */
    readonly ca?: string
    /** False: a connection for each request. nginx closes those that are kept when it takes up another configuration. */
    readonly kept?: boolean
  },
  {
    rate = 200,
    seconds = 1200,
    patience = 30,
  }: {
    readonly rate?: number
    readonly seconds?: number
    /** Seconds that each request waits for its answer. */
    readonly patience?: number
  } = {},
): {
  /** From now on requests count for the next of the periods. */
  next(): void
  stop(): Promise<RateReport>
} {
  const { ca, kept = true } = site
  const given = { keepAlive: kept, maxSockets: 64 }
  const agent = ca === undefined ? new Agent(given) : new SecureAgent({ ...given, ca, servername: site.host })
  const failures: Record<string, number> = {}
  let releases = new Map<string, number>()
  const periods = [releases]
  const open = new Set<Promise<void>>()
  const started = performance.now()
  let stopped = false
  let offered = 0
  let answered = 0
  let slowest = 0
  const due = () => Math.floor((Math.min(performance.now() - started, seconds * 1000) / 1000) * rate)

  const once = (path: string) =>
    new Promise<void>((resolve) => {
      const begun = performance.now()
      const period = releases
      const fail = (what: string) => {
        failures[what] = (failures[what] ?? 0) + 1
        resolve()
      }
      const asked = (ca === undefined ? request : secureRequest)(
        {
          host: site.address,
          port: site.port ?? (ca === undefined ? 80 : 443),
          path,
          agent,
          headers: { host: site.host },
          timeout: patience * 1000,
        },
        (answer) => {
          let text = ''
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk
          })
          answer.on('error', ({ message }) => fail(`cut: ${message}`))
          answer.on('end', () => {
            if (answer.statusCode !== 200 || !answer.complete) return fail(`code ${answer.statusCode}`)
            const release = text.trim()
            period.set(release, (period.get(release) ?? 0) + 1)
            answered += 1
            slowest = Math.max(slowest, performance.now() - begun)
            resolve()
          })
        },
      )
      asked.on('timeout', () => asked.destroy(new Error(`no answer within ${patience} s`)))
      asked.on('error', ({ message }) => fail(message))
      asked.end()
    })

  const running = (async () => {
    while (!stopped && performance.now() - started < seconds * 1000) {
      for (let left = due() - offered; left > 0; left--) {
        const path = site.paths[offered % site.paths.length] ?? '/'
        offered += 1
        const one = once(path).finally(() => open.delete(one))
        open.add(one)
      }
      await pause(5)
    }
  })()

  return {
    next() {
      releases = new Map()
      periods.push(releases)
    },
    async stop() {
      const wanted = due()
      stopped = true
      await running
      await Promise.all(open)
      agent.destroy()
      return { due: wanted, offered, answered, failures, periods, slowest }
    },
  }
}

/**
 * Answers of a release that nobody should have got any more, or not yet: what was asked between the ends of two commands gets what
 * served then, or what the second of them switches to. `serving` is what served after each command.
 */
export function straysAmong(periods: RateReport['periods'], serving: readonly string[]): readonly string[] {
  return periods.flatMap((period, index) =>
    [...period.keys()].filter((id) => !serving.slice(index, index + 2).includes(id)).map((id) => `${id} after command ${index}`),
  )
}
