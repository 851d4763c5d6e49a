import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'

/** An instance as EC2 has just started it. */
export interface Launched {
  readonly id: string
  /** Decoded, as EC2 stored it. */
  readonly userData: string
}

/**
 * What to do with calls instead of passing them on: answer with an error of EC2, or that there is nothing; or pass them on and lose the
 * answer.
 */
export type Fault = { readonly code: string; readonly message: string } | 'nothing' | 'lost'

/** Whether EC2 does what it is asked for before the answer is lost. */
export type When = 'before' | 'after'

/** Stands between the provider and moto. */
export interface Ec2Proxy {
  /** Another one after each {@link clear}, so that a call which outlived the test that made it is not counted in the next one. */
  readonly url: string
  /** The actions that were asked for, in their order. */
  readonly calls: readonly string[]
  /** The next calls of that action fail. */
  fail(action: string, fault: Fault, times?: number): void
  /** One call, counted from 0, is refused: before EC2 hears of it, or once it is done. */
  refuse(at: number, when: When): void
  /** So is that one and every later one: EC2 sees what it would see of a kraft that is killed there. */
  kill(at: number, when: When): void
  /** Forgets faults and calls; what still comes for the former `url` is refused. */
  clear(): void
  stop(): Promise<void>
}

/**
 * Starts a proxy before moto that gives every instance an address of this machine, because moto invents addresses of the
 * outside world. It calls `launched` as soon as an instance runs, and keeps ClientToken's promise, which moto does not.
 */
export async function startEc2Proxy(
  moto: string,
  address: string,
  launched: (instance: Launched) => Promise<void>,
): Promise<Ec2Proxy> {
  const calls: string[] = []
  const faults = new Map<string, Fault[]>()
  const started = new Map<string, string>()
  let turn = 1
  let refused: { readonly at: number; readonly when: When; readonly later: boolean } | undefined

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(502, { 'content-type': 'text/plain' }).end(String(error))
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await bodyOf(request))
    if (request.url !== `/${turn}/`) {
      response.writeHead(400, { 'content-type': 'text/xml' }).end(errorXml('UnauthorizedOperation', 'of an earlier test'))
      return
    }
    const action = form.get('Action') ?? ''
    calls.push(action)
    const fault = faults.get(action)?.shift()
    const nth = calls.length - 1
    const isLast = refused?.at === nth
    if (refused !== undefined && (isLast || (refused.later && nth > refused.at))) {
      if (isLast && refused.when === 'after') await pass(form, action, request.headers)
      response.writeHead(400, { 'content-type': 'text/xml' }).end(errorXml('UnauthorizedOperation', 'refused by the test'))
      return
    }
    if (fault === 'nothing') {
      const xml = `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"></${action}Response>`
      response.writeHead(200, { 'content-type': 'text/xml' }).end(xml)
      return
    }
    if (fault !== undefined && fault !== 'lost') {
      response.writeHead(400, { 'content-type': 'text/xml' }).end(errorXml(fault.code, fault.message))
      return
    }
    const { status, text } = await pass(form, action, request.headers)
    if (fault === 'lost') request.socket.destroy()
    else response.writeHead(status, { 'content-type': 'text/xml' }).end(text)
  }

  async function pass(
    form: URLSearchParams,
    action: string,
    headers: IncomingHttpHeaders,
  ): Promise<{ status: number; text: string }> {
    const token = action === 'RunInstances' ? (form.get('ClientToken') ?? '') : ''
    const earlier = started.get(token)
    if (earlier !== undefined) return { status: 200, text: earlier }
    const { status, text: whole } = await ask(moto, form, headers)
    const text = action === 'DescribeImages' ? page(whole, form) : whole
    const here = text.replace(/<(ipAddress|dnsName|publicIp|publicDnsName)>[^<]+<\/\1>/g, `<$1>${address}</$1>`)
    if (action === 'RunInstances' && status === 200) {
      if (token !== '') started.set(token, here)
      const id = /<instanceId>([^<]+)</.exec(text)?.[1] ?? ''
      const query = new URLSearchParams({
        Action: 'DescribeInstanceAttribute',
        Version: '2016-11-15',
        InstanceId: id,
        Attribute: 'userData',
      })
      const stored = await ask(moto, query, headers)
      const encoded = /<userData>\s*<value>([^<]*)</.exec(stored.text)?.[1] ?? ''
      await launched({ id, userData: Buffer.from(encoded, 'base64').toString('utf8') })
    }
    return { status, text: here }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const place = server.address()
  if (place === null || typeof place === 'string') throw new Error('The proxy has no port')
  return {
    get url() {
      return `http://127.0.0.1:${place.port}/${turn}/`
    },
    calls,
    fail: (action, fault, times = 1) =>
      void faults.set(action, [...(faults.get(action) ?? []), ...Array<Fault>(times).fill(fault)]),
    refuse(at, when) {
      refused = { at, when, later: false }
    },
    kill(at, when) {
      refused = { at, when, later: true }
    },
    clear() {
      turn += 1
      refused = undefined
      faults.clear()
      calls.length = 0
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function ask(moto: string, form: URLSearchParams, headers: IncomingHttpHeaders): Promise<{ status: number; text: string }> {
  const answer = await fetch(moto, {
    method: 'POST',
    body: form.toString(),
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      // moto finds the service and the region in the signature's scope.
      authorization: headers.authorization ?? '',
    },
  })
  return { status: answer.status, text: await answer.text() }
}

// moto answers with all images at once, EC2 with as many as were asked for.
function page(text: string, form: URLSearchParams): string {
  const size = Number(form.get('MaxResults') ?? 0)
  const [, before = '', set, after = ''] = /^([\s\S]*<imagesSet>)([\s\S]*)(<\/imagesSet>[\s\S]*)$/.exec(text) ?? []
  if (size === 0 || set === undefined) return text
  const items: string[] = []
  let depth = 0
  let from = 0
  for (const { 0: tag, index } of set.matchAll(/<\/?item>/g)) {
    if (tag === '<item>' && depth++ === 0) from = index
    if (tag === '</item>' && --depth === 0) items.push(set.slice(from, index + tag.length))
  }
  const first = Number(form.get('NextToken') ?? 0)
  const next = first + size < items.length ? `<nextToken>${first + size}</nextToken>` : ''
  return `${before}${items.slice(first, first + size).join('')}${after.replace('</imagesSet>', `</imagesSet>${next}`)}`
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function errorXml(code: string, message: string): string {
  return `<?xml version="1.0"?><Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>test</RequestID></Response>`
}
