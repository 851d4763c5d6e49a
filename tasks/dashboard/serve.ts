import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { listenLocally } from '../../engine/ssh/listen.js'
import type { Session } from '../../engine/task/session.js'
import { newKey } from './entrance.js'
import { site } from './site.js'
import { Watch } from './watch.js'
import type { Watched } from './watched.js'

/** A dashboard that is there. */
export interface Served {
  readonly port: number
  /** With the token that lets one in. */
  readonly url: string
  /** Ends it and all its looks. */
  close(): void
}

/** Serves a dashboard on this machine's loopback. Throws `usage` where the port is taken. */
export async function serveDashboard(watched: Watched, session: Session, port: number): Promise<Served> {
  const ending = new AbortController()
  const watch = new Watch(watched, session, AbortSignal.any([ending.signal, session.ended]))
  const key = newKey()
  const app = site(watch, key, session.version)
  const server = createServer(getRequestListener(app.fetch))
  const opened = await listenLocally(server, port)
  watch.begin()
  return {
    port: opened,
    url: `http://127.0.0.1:${opened}/?token=${key.token}`,
    close() {
      ending.abort()
      server.close()
      // A page that is open holds its stream for as long as it is.
      server.closeAllConnections()
    },
  }
}
