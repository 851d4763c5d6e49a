import type { Duplex } from 'node:stream'
import type { Client } from 'ssh2'
import { type Failure, isKraftError, KraftError } from '../errors/failure.js'
import type { AskedOnce } from './asked-once.js'
import type { Credentials } from './credentials.js'
import { patience } from './dial.js'
import type { HostCheck } from './host-key.js'
import { interrupted, unlessInterrupted } from './interrupted.js'
import { ssh2 } from './library.js'
import { Login } from './login.js'

const beat = 4_000
const beats = 3
/** Seconds for which a node may be silent, though it is asked, before it counts as gone. */
export const silence = (beat * beats) / 1000

/**
 * Makes an SSH connection on a stream: verifies the host's key, then logs in with one key after the other. Throws
 * `host-key`, or `unreachable` that names the keys which were tried.
 */
export async function handshake(
  check: HostCheck,
  credentials: Credentials,
  socket: Duplex,
  { signal, password }: { readonly signal?: AbortSignal | undefined; readonly password?: AskedOnce | undefined } = {},
): Promise<Client> {
  // Before ssh2 listens, nobody would hear of a stream that ends while keys are read.
  let ended = new Error('the connection ended before handshake')
  socket.on('error', (error) => {
    ended = new Error(`${error.message} before handshake`, { cause: error })
  })
  const node = check.destination.name
  const library = await ssh2()
  // An agent may ask a person before it tells its keys, or never answer.
  const asked = Promise.all([credentials.identities(check.options), credentials.algorithms(check)])
  const [identities, serverHostKey] = await unlessInterrupted(asked, node, signal).catch((error: unknown) => {
    socket.destroy()
    throw isKraftError(error) ? error : unreadable(node, error)
  })
  const client = new library.Client()
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clock.stop()
      signal?.removeEventListener('abort', abort)
      client.removeListener('close', closed)
    }
    const fail = (failure: Failure, cause?: unknown): void => {
      settle()
      reject(new KraftError(failure, cause))
      client.destroy()
      socket.destroy()
    }
    const unreachable = (message: string, next?: string, cause?: unknown): void =>
      fail({ kind: 'unreachable', node, message, ...(next !== undefined && { next }) }, cause)
    const abort = (): void => fail(interrupted(node).failure)
    const closed = (): void => unreachable('the connection was closed during the SSH handshake')
    const clock = new Clock(() => unreachable(`the SSH handshake took more than ${patience / 1000} seconds`))
    const login = new Login(
      identities,
      check.options.user,
      library,
      (isWaiting) => (isWaiting ? clock.stop() : clock.start()),
      password,
    )

    client.on('error', (error: Error & { level?: string }) => {
      // A key of the agent that could not sign; the next one is tried.
      if (error.level === 'agent') return
      if (/no matching host key/.test(error.message)) {
        const message = 'the server has no host key of a type that nodes.yaml remembers or that kraft supports'
        return fail(
          { kind: 'host-key', node, message, next: `If you rebuilt ${node}, correct its host_keys in nodes.yaml.` },
          error,
        )
      }
      if (login.stopped !== undefined) return fail(login.stopped.failure, login.stopped)
      const [message, next] = explain(error, login)
      unreachable(message, next, error)
    })
    client.once('close', closed)
    client.once('handshake', () => askForNoOtherKeys(client))
    client.once('ready', () => {
      settle()
      resolve(client)
    })
    if (signal?.aborted) return abort()
    if (socket.destroyed) {
      const [message, next] = explain(ended, login)
      return unreachable(message, next, ended)
    }
    signal?.addEventListener('abort', abort)
    clock.start()
    client.connect({
      sock: socket,
      username: check.options.user,
      readyTimeout: 0,
      // ssh2 gives up at the beat after the last one that counts: 12 seconds.
      keepaliveInterval: beat,
      keepaliveCountMax: beats - 1,
      algorithms: { serverHostKey },
      hostVerifier: (key: Buffer, verify: (permitted: boolean) => void) => {
        clock.stop()
        credentials.verify(check, key).then(
          (failure) => {
            if (failure !== undefined) return fail(failure)
            clock.start()
            verify(true)
          },
          (error: unknown) => fail(unreadable(node, error).failure, error),
        )
      },
      authHandler: login.handler,
      tryKeyboard: password !== undefined,
    })
  })
}

function unreadable(node: string, cause: unknown): KraftError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new KraftError({ kind: 'unreachable', node, message: `your keys or known hosts cannot be used: ${why}` }, cause)
}

// sshd tells its other host keys after the login, and ssh2 makes it sign with each of them and checks that, though nobody listens:
// a third of a handshake's arithmetic on both sides. It does so only for what calls itself OpenSSH, and needs that name for no more.
function askForNoOtherKeys(client: Client): void {
  Reflect.set(client, '_remoteVer', '')
}

// "Premature close" is what a ProxyCommand's pipes say, where one of them ended before the other.
const hangUp = /before handshake|ECONNRESET|EPIPE|Premature close/

/** True of the failure that sshd's MaxStartups gives: it hangs up before it says its name, and the next attempt may pass. */
export function hungUpEarly(error: unknown): boolean {
  return error instanceof KraftError && error.cause instanceof Error && hangUp.test(error.cause.message)
}

function explain(error: Error & { level?: string }, login: Login): [message: string, next?: string] {
  if (error.level === 'client-authentication') return login.explain()
  if (/too many authentication failures/i.test(error.message)) {
    const [message] = login.explain()
    return [
      `${message} (more keys than the server listens to)`,
      'Name the right key with IdentityFile and IdentitiesOnly yes in ~/.ssh/config.',
    ]
  }
  if (hangUp.test(error.message)) {
    return ['the connection was closed before SSH began', 'Is it an SSH server, and does it let you in (fail2ban, MaxStartups)?']
  }
  return [`SSH failed: ${error.message}`]
}

/** Counts the time that the other side takes, not the time that a person takes to answer. */
class Clock {
  #timer: NodeJS.Timeout | undefined
  constructor(readonly ring: () => void) {}
  start(): void {
    this.stop()
    this.#timer = setTimeout(this.ring, patience)
  }
  stop(): void {
    clearTimeout(this.#timer)
  }
}
