import { setTimeout as pause } from 'node:timers/promises'
import * as v from 'valibot'

/** One HTTP API that speaks JSON, and what is particular about it. */
export interface ApiSpec {
  /** Without a slash at its end. */
  readonly url: string
  /** The token is in them. */
  readonly headers: Readonly<Record<string, string>>
  /** Code and message of an answer that is an error. */
  fault(body: unknown): { readonly code?: string; readonly message: string } | undefined
  /** Called when the API asks for patience. */
  progress?(line: string): void
}

/** An answer that is an error. It holds nothing of the request, whose headers have the token. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  constructor(
    /** Of HTTP; 0 where no answer came. */
    readonly status: number,
    /** The API's own word, or what the network says: ECONNREFUSED. */
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

/** What is sent and how its answer has to look. */
export interface Call<S extends v.GenericSchema> {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the API's URL, or a whole URL of the same server. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly answer: S
}

/** An answer with its headers; `raw` has also what was not asked for. */
export interface Answer<Body> {
  readonly body: Body
  readonly raw: unknown
  readonly headers: Headers
}

/** The longest that one wait may last, and how long a call is tried at all, in milliseconds. */
const patience = { once: 60_000, altogether: 180_000 }

/**
 * Sends one call. Where the API limits how often it may be asked, it waits as long as that says; where it or the network fails for
 * a moment, what can be repeated without harm is. Throws an {@link ApiError}.
 */
export async function call<S extends v.GenericSchema>(api: ApiSpec, asked: Call<S>): Promise<Answer<v.InferOutput<S>>> {
  const method = asked.method ?? 'GET'
  const end = Date.now() + patience.altogether
  for (let attempt = 0; ; attempt += 1) {
    const { status, headers, body, failure } = await send(api, asked)
    if (failure === undefined && status >= 200 && status < 300) return { body: fitting(asked, body), raw: body, headers }
    const fault = failure ?? faultOf(api, status, body)
    const wait = waitFor({ status, headers, fault, method, attempt })
    if (wait === undefined || wait > patience.once || Date.now() + wait > end) throw fault
    if (wait >= 2_000) api.progress?.(`Asked for patience: waiting ${Math.ceil(wait / 1000)} s`)
    await pause(wait)
  }
}

interface Received {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
  readonly failure?: ApiError
}

async function send<S extends v.GenericSchema>(
  api: ApiSpec,
  { method = 'GET', path, query, headers, body }: Call<S>,
): Promise<Received> {
  const url = new URL(/^https?:/.test(path) ? path : api.url + path)
  for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, String(value))
  try {
    const answer = await fetch(url, {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(60_000),
      headers: {
        accept: 'application/json',
        'user-agent': 'kraftwerk',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...api.headers,
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, headers: answer.headers, body: parsed(await answer.text()) }
  } catch (error) {
    return { status: 0, headers: new Headers(), body: undefined, failure: unanswered(error, url.origin) }
  }
}

// A proxy in between answers in HTML.
function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    return text
  }
}

function unanswered(error: unknown, origin: string): ApiError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'NETWORK'
  const said = cause instanceof Error && cause.message !== '' ? cause.message : code
  return new ApiError(0, code, `${origin} did not answer: ${said}`)
}

function faultOf(api: ApiSpec, status: number, body: unknown): ApiError {
  const told = typeof body === 'object' ? api.fault(body) : undefined
  const text =
    typeof body === 'string'
      ? body
          .replace(/<[^>]*>/g, ' ')
          .replace(/\s+/g, ' ')
          .trim()
          .slice(0, 200)
      : ''
  return new ApiError(status, told?.code ?? '', told?.message || text || `status ${status}`)
}

function fitting<S extends v.GenericSchema>({ path, answer }: Call<S>, body: unknown): v.InferOutput<S> {
  const result = v.safeParse(answer, body)
  if (result.success) return result.output
  const [issue] = result.issues
  throw new ApiError(
    200,
    'unexpected',
    `${path} answered with something unexpected: ${v.getDotPath(issue) ?? 'all'}: ${issue.message}`,
  )
}

// Nobody is there, or somebody else is: that does not pass.
const wrongPlace = /^(ECONNREFUSED|ENOTFOUND|ERR_TLS|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO)/

interface Failed {
  readonly status: number
  readonly headers: Headers
  readonly fault: ApiError
  readonly method: string
  readonly attempt: number
}

/** Milliseconds until the next attempt; undefined where another one would be wrong. */
export function waitFor({ status, headers, fault, method, attempt }: Failed): number | undefined {
  const asked = askedFor(headers)
  const step = Math.min(500 * 2 ** attempt, 30_000)
  // Nothing was done: whatever was asked for can be asked again.
  if (status === 429 || fault.code === 'rate_limit_exceeded' || (status === 413 && asked !== undefined)) return asked ?? step
  // What makes something may have made it, although no answer says so.
  if (method === 'POST' || attempt >= 3 || wrongPlace.test(fault.code)) return undefined
  return status === 0 || [408, 502, 503, 504].includes(status) ? (asked ?? step) : undefined
}

// Retry-After is a number of seconds or a date; the limits' end is a time, and far away where the limit is one for an hour.
function askedFor(headers: Headers): number | undefined {
  const after = headers.get('retry-after')
  if (after !== null) {
    const wait = /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now()
    if (wait >= 0) return wait
  }
  const reset = headers.get('ratelimit-reset') ?? headers.get('x-ratelimit-reset')
  const wait = Number(reset) * 1000 - Date.now()
  return reset !== null && wait >= 0 && wait <= patience.once ? wait + 500 : undefined
}

/**
 * All that a list holds, page after page. `more` finds the query or the URL of the next page in an answer.
 *
 * @example await all(api, { path: '/images', answer: v.object({ images: v.array(image) }) }, ({ images }) => images, nextPage)
 */
export async function all<S extends v.GenericSchema, Item>(
  api: ApiSpec,
  first: Call<S>,
  items: (body: v.InferOutput<S>) => readonly Item[],
  more: (body: unknown) => Pick<Call<S>, 'query'> | Pick<Call<S>, 'path'> | undefined,
): Promise<readonly Item[]> {
  const found: Item[] = []
  let asked: Call<S> = first
  // An API that never ends its list would keep us here for ever.
  for (let page = 0; page < 1_000; page += 1) {
    const { body, raw } = await call(api, asked)
    found.push(...items(body))
    const next = more(raw)
    if (next === undefined) return found
    if ('path' in next) asked = { path: ownPath(api, next.path), answer: first.answer }
    else asked = { ...first, query: { ...first.query, ...next.query } }
  }
  return found
}

// The token goes to nobody else, whatever an answer says.
function ownPath({ url }: ApiSpec, next: string): string {
  const { pathname, search } = new URL(next, url)
  return `${new URL(url).origin}${pathname}${search}`
}
