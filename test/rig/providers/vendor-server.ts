import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'

/** A call as a handler gets it. */
export interface Asked {
  readonly match: readonly string[]
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Readonly<Record<string, unknown>>
}

/** What a handler gives. */
export interface Given {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export type Route = readonly [method: string, path: RegExp, handler: (asked: Asked) => Given | Promise<Given>]

/** An answer that takes the place of the real one; `lost`: what was asked for is done, and no answer comes. */
export type Fault = Given | 'lost'

/** A server that speaks the API of a provider, as far as kraft asks it. */
export interface VendorServer {
  readonly url: string
  /** `POST /servers` and so on, in their order. */
  readonly calls: string[]
  /** The next calls that fit fail. */
  fail(method: string, path: RegExp, fault: Fault, times?: number): void
  /** Called with each machine's user data as it starts. */
  launched: (userData: string) => Promise<void>
  clear(): void
  stop(): Promise<void>
}

/** Starts a server on loopback that answers by these routes; without the right token as `refused` says. */
export async function startVendor(
  routes: readonly Route[],
  { authorized, refused }: { authorized(headers: IncomingHttpHeaders, path: string): boolean; refused: Given },
): Promise<VendorServer> {
  let faults: { method: string; path: RegExp; fault: Fault }[] = []
  const calls: string[] = []

  async function answer(request: IncomingMessage): Promise<Given | 'lost'> {
    const method = request.method ?? ''
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://here')
    const sent = await text(request)
    calls.push(`${method} ${pathname}`)
    const at = faults.findIndex((each) => each.method === method && each.path.test(pathname))
    const fault = at < 0 ? undefined : faults.splice(at, 1)[0]?.fault
    if (fault !== undefined && fault !== 'lost') return fault
    if (!authorized(request.headers, pathname)) return refused
    for (const [verb, path, handler] of routes) {
      const match = path.exec(pathname)
      if (verb !== method || match === null) continue
      const given = await handler({
        match,
        query: searchParams,
        headers: request.headers,
        body: sent === '' ? undefined : JSON.parse(sent),
      })
      return fault ?? given
    }
    throw new Error(`This server knows nothing of ${method} ${pathname}`)
  }

  const server = createServer((request, response) => {
    answer(request).then(
      (given) => {
        if (given === 'lost') return void request.socket.destroy()
        const { status = 200, headers = {}, body } = given
        response.writeHead(status, { 'content-type': 'application/json', ...headers })
        response.end(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body))
      },
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error)),
    )
  })
  // A connection that is closed for its age just when the next call is sent would be a fault that nobody asked for.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const place = server.address()
  if (place === null || typeof place === 'string') throw new Error('The server has no port')
  return {
    url: `http://127.0.0.1:${place.port}`,
    calls,
    fail: (method, path, fault, times = 1) => void faults.push(...Array(times).fill({ method, path, fault })),
    launched: async () => undefined,
    clear() {
      faults = []
      calls.length = 0
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** A part of a list, as pages of a size hold it. */
export function page<Item>(all: readonly Item[], number: number, size: number): { items: readonly Item[]; pages: number } {
  return { items: all.slice((number - 1) * size, number * size), pages: Math.max(1, Math.ceil(all.length / size)) }
}
