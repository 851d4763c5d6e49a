import { expect, test } from 'vitest'
import { isKraftError, summary } from '../../../engine/errors/failure.js'
import { sshOptions } from '../../../engine/ssh/config.js'
import { ownCredentials } from '../../../engine/ssh/credentials.js'
import { dialThrough } from '../../../engine/ssh/dial.js'
import { handshake, hungUpEarly } from '../../../engine/ssh/handshake.js'

test('a ProxyCommand that ends at once, whenever that is noticed, is told to have closed the connection', async () => {
  const destination = { name: 'one', address: '127.0.0.1', hostKeys: [] }
  const options = await sshOptions(destination)
  const said = new Set<string>()
  for (let wait = 0; wait < 30; wait++) {
    const credentials = ownCredentials(undefined)
    const slowly: typeof credentials = {
      ...credentials,
      identities: async (of) => {
        await new Promise((resolve) => setTimeout(resolve, wait))
        return credentials.identities(of)
      },
    }
    const socket = dialThrough('false', { folder: '/', say: () => undefined })
    const error: unknown = await handshake({ destination, options }, slowly, socket).catch((thrown: unknown) => thrown)
    said.add(`${isKraftError(error) ? summary(error.failure) : String(error)}, ${hungUpEarly(error)}`)
  }
  expect([...said]).toEqual(['one: the connection was closed before SSH began, true'])
})
