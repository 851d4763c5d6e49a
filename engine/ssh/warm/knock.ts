import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { locked } from '../../files/lock.js'
import { ownSocket } from './folder.js'
import { startHolder } from './start.js'

/** Connects to the holder at a path; undefined where none listens. Throws for what is not ours. */
export async function knock(path: string): Promise<Socket | undefined> {
  if (!(await ownSocket(path))) return undefined
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return socket
  } catch (error) {
    socket.destroy()
    if (error instanceof Error && 'code' in error && (error.code === 'ECONNREFUSED' || error.code === 'ENOENT')) return undefined
    throw error
  }
}

/** The same, and starts a holder where there is none: one, however many ask at the same moment. */
export async function knockOrStart(path: string, program: string): Promise<Socket | undefined> {
  const found = await knock(path)
  if (found !== undefined) return found
  return locked(path, async () => {
    const other = await knock(path)
    if (other !== undefined) return other
    // A holder that was killed leaves its socket.
    await rm(path, { force: true })
    await startHolder(program, path)
    return knock(path)
  })
}
