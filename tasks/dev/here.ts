import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import type { Here } from '../../project/service.js'

/** Milliseconds for an answer of this machine itself. */
const patience = 2000

/** The first of a service's places on this machine where it is; undefined where it is at none. */
export async function findHere(places: readonly Here[], environ: NodeJS.ProcessEnv): Promise<Here | undefined> {
  for (const place of places) {
    if (place.at !== undefined && !(await answers(place.at))) continue
    if (place.proof === undefined || (await succeeds(place.proof, environ))) return place
  }
  return undefined
}

/**
 * Whether somebody takes connections at a socket's path, or at a port of the loopback or another address.
 *
 * @example await answers(6379)
 */
export function answers(at: string | number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = typeof at === 'string' ? connect(at) : connect(at, host)
    const end = (found: boolean) => {
      socket.destroy()
      resolve(found)
    }
    socket.setTimeout(patience, () => end(false))
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}

function succeeds([program, ...args]: readonly [string, ...string[]], env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(program, args, { env, timeout: patience }, (error) => resolve(error === null)).stdin?.end()
  })
}
