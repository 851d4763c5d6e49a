import { createServer } from 'node:net'
import { KraftError } from '../../engine/errors/failure.js'

const usual = 8000
const tries = 50

/**
 * The port for the site: the one that was asked for, else the first from 8000 on that nobody has on the loopback. Throws `usage` where the one that
 * was asked for is taken or none.
 */
export async function freePort(asked: number | undefined): Promise<number> {
  if (asked !== undefined) {
    if (!Number.isInteger(asked) || asked < 1 || asked > 65_535) {
      throw new KraftError({ kind: 'usage', message: `--port is a number from 1 to 65535, not ${asked}` })
    }
    if (await isFree(asked)) return asked
    const next = 'Take another, or leave --port out: kraft takes the next that is free'
    throw new KraftError({ kind: 'usage', message: `Something has port ${asked} already, or it may not be taken`, next })
  }
  for (let port = usual; port < usual + tries; port += 1) if (await isFree(port)) return port
  const message = `None of the ports ${usual} to ${usual + tries - 1} is free`
  throw new KraftError({ kind: 'task', message, next: 'Name one that is: kraft dev --port 9000' })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
