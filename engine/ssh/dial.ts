import { spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { Duplex } from 'node:stream'
import { KraftError } from '../errors/failure.js'
import type { SshOptions } from './config.js'
import type { Destination } from './destination.js'
import { interrupted } from './interrupted.js'
import { together } from './together.js'

/** Milliseconds that a TCP connection, and then the SSH handshake on it, may take. */
export const patience = 10_000

/** Where to call, and for whom. */
export interface Call extends Pick<SshOptions, 'hostName' | 'port'>, Pick<Destination, 'isFenced'> {
  readonly node: string
}

/**
 * Opens a TCP connection without Nagle's delay (which would double the time of each command). Throws `unreachable` within
 * {@link patience}, saying what stands in the way. The socket is paused, and
 * ssh2 resumes it when it listens.
 */
export function dial(call: Call, signal?: AbortSignal): Promise<Socket> {
  const { node, hostName, port } = call
  return new Promise((resolve, reject) => {
    const socket = together(
      connect({ host: hostName, port, noDelay: true, keepAlive: true, autoSelectFamilyAttemptTimeout: 2_500 }),
    )
    // Nothing is read, not even that it was closed, before somebody listens.
    socket.pause()
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      socket.removeListener('error', fail)
    }
    const fail = (error: unknown): void => {
      settle()
      socket.destroy()
      reject(error instanceof KraftError ? error : unreachable(call, error))
    }
    const abort = (): void => fail(interrupted(node))
    const timer = setTimeout(() => fail(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), patience)
    socket.on('error', fail)
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort)
  })
}

/** Where a ProxyCommand runs for somebody else. */
export interface ProxyPlace {
  readonly folder: string
  /** Is told each line of its stderr. */
  readonly say: (line: string) => void
}

/** Starts the ProxyCommand of ssh_config and talks through it; its stderr goes to ours unless `place` takes it. */
export function dialThrough(command: string, place?: ProxyPlace): Duplex {
  const words = [process.env.SHELL || '/bin/sh', '-c', `exec ${command}`] as const
  const child = spawn('/bin/sh', ['-c', deaf, 'sh', ...words], {
    stdio: ['pipe', 'pipe', place === undefined ? 'inherit' : 'pipe'],
    cwd: place?.folder,
  })
  if (child.stdout === null || child.stdin === null) throw new TypeError('Its streams are pipes')
  if (place !== undefined && child.stderr !== null) createInterface({ input: child.stderr }).on('line', place.say)
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin })
  child.once('error', (error) => stream.destroy(error))
  stream.once('close', () => child.kill())
  return stream
}

// Ctrl-C reaches all programs of a terminal: without the connection what runs on the node could not be ended any more.
const deaf = `trap '' INT; exec "$@"`

function unreachable(call: Call, error: unknown): KraftError {
  const { node, hostName: host } = call
  const [message, next] = explain(codeOf(error), call)
  return new KraftError(
    { kind: 'unreachable', node, message: message ?? `cannot connect to ${host}: ${String(error)}`, ...(next && { next }) },
    error,
  )
}

function codeOf(error: unknown): string {
  const one = error instanceof AggregateError ? error.errors[0] : error
  return one instanceof Error && 'code' in one ? String(one.code) : ''
}

function explain(code: string, { node, hostName: host, port, isFenced }: Call): [message?: string, next?: string] {
  const where = `${host} port ${port}`
  switch (code) {
    case 'ECONNREFUSED':
      return [`${where} refused the connection`, 'Is sshd running there, on that port?']
    case 'ETIMEDOUT':
      return [
        `${where} did not answer within ${patience / 1000} seconds`,
        isFenced
          ? `Its firewall lets only known addresses in. If you come from another one than the last time: kraft provision ${node}`
          : 'Is it up, and does a firewall let you through?',
      ]
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return [`there is no route to ${where}`, 'Is it up, and are you on the right network?']
    case 'ENOTFOUND':
      return [`the name ${host} is not known to DNS`, 'Check the address of the node in nodes.yaml.']
    case 'EAI_AGAIN':
      return [`DNS did not answer for ${host}`, 'Are you connected to a network?']
    case 'ECONNRESET':
      return [`${where} closed the connection at once`, 'Does a firewall or fail2ban keep you out?']
    default:
      return []
  }
}
