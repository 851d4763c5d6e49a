import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** How long {@link listens} goes on. */
export interface Patience {
  /** Milliseconds. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
  /** What the server must say first. */
  readonly greeting?: string
  /** Asked between two attempts: false gives up at once. */
  readonly worthwhile?: () => Promise<boolean>
}

/** Whether something answers there, asked again and again until it does or the time is up. */
export async function listens(host: string, port: number, patience: Patience): Promise<boolean> {
  const end = Date.now() + patience.timeout
  for (;;) {
    if (await answers(host, port, patience.greeting)) return true
    if (Date.now() >= end || patience.signal?.aborted === true) return false
    if (patience.worthwhile !== undefined && !(await patience.worthwhile())) return false
    await pause(30)
  }
}

function answers(host: string, port: number, greeting?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('connect', () => {
      if (greeting === undefined) end(true)
    })
    socket.on('data', (data) => end(data.toString('latin1').startsWith(greeting ?? '')))
    for (const event of ['error', 'timeout', 'close'] as const) socket.on(event, () => end(false))
  })
}
