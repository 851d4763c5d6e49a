import { once } from 'node:events'
import { createServer } from 'node:http'

/** A service that answers with an address, as https://checkip.amazonaws.com does. */
export interface AddressService {
  readonly url: string
  /** What it answers with; undefined: it is broken. */
  says: string | undefined
  stop(): Promise<void>
}

/** Starts one on loopback. */
export async function startAddressService(): Promise<AddressService> {
  const server = createServer((_, response) => {
    if (service.says === undefined) response.writeHead(503).end('Service Unavailable')
    else response.writeHead(200, { 'content-type': 'text/plain' }).end(service.says)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const place = server.address()
  if (place === null || typeof place === 'string') throw new Error('The address service has no port')
  const service: AddressService = {
    url: `http://127.0.0.1:${place.port}/`,
    says: '203.0.113.7\n',
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return service
}
