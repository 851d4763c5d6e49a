import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'

/** Words in SSH's wire format. */
export function words(...all: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(all.flatMap((word) => [uint32(Buffer.byteLength(word)), Buffer.from(word)]))
}

/** A number in SSH's wire format. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** An agent at a path that lists more keys before those of another, to which it leaves everything else. */
export async function startFrontAgent(
  path: string,
  more: readonly { readonly blob: Buffer; readonly comment: string }[],
  other: string,
): Promise<{ stop(): Promise<void> }> {
  const server = createServer((near) => {
    const far = createConnection(other)
    let isList = false
    near.on('data', (asked) => {
      // The length may come before it, by itself.
      isList = asked.length <= 5 && asked.at(-1) === 11
      far.write(asked)
    })
    far.on('data', (said) => {
      if (!isList) return near.write(said)
      const list = [...more.flatMap(({ blob, comment }) => [blob, comment])]
      const body = Buffer.concat([
        Buffer.from([12]),
        uint32(said.readUInt32BE(5) + more.length),
        words(...list),
        said.subarray(9),
      ])
      return near.write(Buffer.concat([uint32(body.length), body]))
    })
    for (const socket of [near, far]) socket.on('error', () => undefined)
    near.on('close', () => far.destroy())
  }).listen(path)
  await once(server, 'listening')
  return {
    async stop() {
      server.close()
      await once(server, 'close')
    },
  }
}
