import { closeSync, lstatSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename } from 'node:path'
import { text } from 'node:stream/consumers'
import { ssh2 } from '../library.js'
import { Keeper } from './keeper.js'
import { ready } from './start.js'

// The program that stays behind when kraft has ended: `node holder.js`, with the path of its socket on stdin. See Keeper for what it does.
// What the handshake needs loads meanwhile.
void ssh2()
const path = await text(process.stdin)
// Started in case it were needed, and it was not.
if (path === '') process.exit(0)
process.title = `kraft: keeps a connection (${basename(path)})`
process.umask(0o077)
// It has no terminal, and a hang-up of the one that it was started from is none of its business.
process.on('SIGHUP', () => undefined)

const keeper = new Keeper(path, hide, leave)
const server = createServer((socket) => keeper.accept(socket))
let own = 0
server.once('error', () => process.exit(1))
server.listen(path, () => {
  own = inode()
  writeSync(ready, '\n')
  closeSync(ready)
})
// Nobody finds a holder whose socket was removed, with its home perhaps, so that it need not wait for anybody.
setInterval(() => {
  if (inode() !== own && !keeper.isUsed) keeper.end()
}, 2_000).unref()

process.on('SIGTERM', () => keeper.end())

function hide(): void {
  // Closing a server removes what is at its path, which may be somebody else's by now.
  if (inode() !== own) return
  own = -1
  server.close()
}

function leave(): void {
  if (own === -1) process.exit(0)
  process.kill(process.pid, 'SIGKILL')
}

function inode(): number {
  return lstatSync(path, { throwIfNoEntry: false })?.ino ?? -1
}
