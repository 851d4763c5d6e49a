import { type IncomingHttpHeaders, request } from 'node:http'
import { request as secureRequest } from 'node:https'

/** An answer, or how the connection ended. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
}

/** What to ask for. */
export interface Question {
  /** The Host header: the name by which the site is asked for. */
  readonly host: string
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** The certificate, in PEM, of a site that is asked over HTTPS. */
  readonly ca?: string
}

/** Asks a server at an address, once, over a connection of its own; throws where there is no whole answer. */
export function ask(address: string, { host, path, method = 'GET', headers = {}, body, ca }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = (ca === undefined ? request : secureRequest)(
      {
        ...(ca === undefined ? {} : { ca, servername: host }),
        host: address,
        port: ca === undefined ? 80 : 443,
        path,
        method,
        agent: false,
        timeout: 20_000,
        headers: { ...headers, host, connection: 'close' },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const whole = Buffer.concat(chunks)
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole, text: whole.toString() })
        })
      },
    )
    asked.on('timeout', () => asked.destroy(new Error(`no answer from ${host}${path} within 20 s`)))
    asked.on('error', reject)
    asked.end(body)
  })
}

/** A form as a browser sends it, with its headers. */
export async function multipart(fields: Readonly<Record<string, string | File>>) {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  const encoded = new Response(form)
  return {
    body: Buffer.from(await encoded.arrayBuffer()),
    headers: { 'content-type': encoded.headers.get('content-type') ?? '' },
  }
}
