import { isIPv4 } from 'node:net'
import * as v from 'valibot'
import { KraftError } from '../../../engine/errors/failure.js'

/** The word of a setting for the address that this machine comes from. */
export const mine = 'mine'

/** Amazon's own: it answers with the address that asks, and with nothing else. */
const usual = 'https://checkip.amazonaws.com'

/** A service like Amazon's. Whoever can change its answer could have ssh opened to themselves, so it is asked over TLS. */
export const addressService = v.pipe(
  v.string(),
  v.url('An address service is a URL: https://checkip.amazonaws.com'),
  v.regex(
    /^(https:|http:\/\/(127\.0\.0\.1|localhost)[:/])/,
    'An address service is asked over https: https://checkip.amazonaws.com',
  ),
)

/** Milliseconds that it may take to answer. */
const patience = 10_000

/**
 * The address that the internet sees of this machine, as a range of one: `203.0.113.7/32`. A proxy or a network that shares an address
 * gives its own. Throws a KraftError where nobody says it.
 */
export async function ownRange(node: string, service = usual): Promise<string> {
  const said = await ask(service).catch((error: unknown) => {
    throw unknown(node, `${service} did not answer: ${reasonOf(error)}`, error)
  })
  const address = said.trim()
  // A network that wants a login first answers with a page of its own.
  if (!isIPv4(address) || address === '0.0.0.0')
    throw unknown(node, `${service} answered with no IPv4 address: ${shorten(address)}`)
  return `${address}/32`
}

async function ask(service: string): Promise<string> {
  const answer = await fetch(service, {
    redirect: 'error',
    signal: AbortSignal.timeout(patience),
    headers: { accept: 'text/plain', 'user-agent': 'kraftwerk' },
  })
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  return answer.text()
}

function unknown(node: string, why: string, cause?: unknown): KraftError {
  return new KraftError(
    {
      kind: 'task',
      node,
      message: `allow_ssh is ${mine}, and the address that you come from is not known: ${why}`,
      next: 'Say it yourself, e.g. --set allow_ssh=203.0.113.7/32, or name another such service: address_service.',
    },
    cause,
  )
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `not within ${patience / 1000} seconds`
  const { cause } = error
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line === '' ? 'nothing' : line.length > 60 ? `"${line.slice(0, 60)}…"` : `"${line}"`
}
