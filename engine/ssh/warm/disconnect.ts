import { readdir, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { ownFolder, prove, warmFolder } from './folder.js'
import { knock } from './knock.js'
import type { FromClient, FromHolder, Self } from './messages.js'
import { Wire } from './wire.js'

/** Milliseconds after which a holder that does not say whose connection it keeps is passed over. */
const patience = 2_000

/**
 * Ends the connections that earlier commands left open, as far as `chosen` says so, and what still runs on them. Returns those
 * that it ended.
 */
export async function disconnect(chosen: (self: Self) => boolean): Promise<readonly Self[]> {
  const folder = warmFolder()
  const names = folder === undefined ? [] : await readdir(folder).catch(() => [])
  if (folder === undefined || names.length === 0) return []
  await ownFolder(folder)
  const sockets = names.filter((name) => name.endsWith('.sock'))
  const ended = await Promise.all(sockets.map((name) => end(folder, join(folder, name), chosen)))
  return ended.filter((self) => self !== undefined).sort((one, other) => one.node.localeCompare(other.node))
}

async function end(folder: string, path: string, chosen: (self: Self) => boolean): Promise<Self | undefined> {
  const socket = await knock(path)
  if (socket === undefined) {
    // A holder that was killed leaves its socket.
    await rm(path, { force: true })
    return undefined
  }
  return ask(socket, await prove(folder), chosen)
}

function ask(socket: Socket, proof: string, chosen: (self: Self) => boolean): Promise<Self | undefined> {
  return new Promise((resolve) => {
    let ended: Self | undefined
    const wire = new Wire(socket, (message) => {
      // Both ends are this program, so that what arrives is what is sent.
      const said = message as FromHolder
      if (said.type !== 'self') return
      if (chosen(said.self)) {
        ended = said.self
        send({ type: 'stop' })
      } else wire.close()
    })
    const send = (message: FromClient): void => wire.send(message)
    const timer = setTimeout(() => socket.destroy(), patience)
    void wire.gone.then(() => {
      clearTimeout(timer)
      resolve(ended)
    })
    send({ type: 'who', proof })
  })
}
