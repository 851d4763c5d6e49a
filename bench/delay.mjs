// A cable with latency: a TCP proxy on loopback that hands on each chunk so many milliseconds later, in both directions, however
// many are on their way. It also counts how often one end had to wait for the other.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** Starts the proxy in front of a port; `milliseconds` is the delay of one direction, so that a round trip takes twice as long. */
export async function startDelay(port, milliseconds, host = '127.0.0.1') {
  let turns = 0
  let connections = 0
  const sockets = new Set()
  const server = createServer((near) => {
    connections++
    // Connecting is a round trip as well: the SYN has to get there and back before the first byte may go.
    turns++
    let answered = true
    const open = (each) => {
      sockets.add(each)
      each.setNoDelay(true)
      each.on('error', () => undefined)
      each.once('close', () => sockets.delete(each))
    }
    open(near)
    const far = connect({ port, host, noDelay: true })
    open(far)
    pass(near, far, milliseconds, milliseconds * 3, () => {
      if (answered) turns++
      answered = false
    })
    pass(far, near, milliseconds, milliseconds * 4, () => {
      answered = true
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: server.address().port,
    /** Round trips, connecting included, since the last call. */
    turns: () => {
      const count = turns
      turns = 0
      return count
    },
    connections: () => connections,
    /** From now on nothing passes any more, and nobody is told: a cable that is cut. */
    cut: () => {
      for (const socket of sockets) socket.pause().removeAllListeners('data')
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

// The first bytes also wait for what SYN and its answers would have taken: here both ends are connected at once.
function pass(from, to, delay, first, seen) {
  const opened = performance.now()
  const later = (action) => {
    const wait = Math.max(delay, opened + first - performance.now())
    const due = performance.now() + wait
    queue.push({ due, action })
    if (queue.length === 1) setTimeout(next, wait)
  }
  const queue = []
  const next = () => {
    queue.shift()?.action()
    if (queue.length > 0) setTimeout(next, Math.max(0, queue[0].due - performance.now()))
  }
  from.on('data', (chunk) => {
    seen()
    later(() => to.write(chunk))
  })
  from.on('end', () => later(() => to.end()))
  from.on('close', () => later(() => to.destroy()))
}
