import { connect } from 'node:net'

/** A key that an agent holds, of whatever type. */
export interface HeldKey {
  readonly type: string
  readonly blob: Buffer
  readonly comment: string
}

const [request, answer] = [11, 12]
/** Bytes that OpenSSH's agent says at the most. */
const limit = 256 * 1024

/**
 * All keys of the agent at a socket. ssh2's own list leaves out what it can't use, of which a person should be told. Throws an
 * Error that says what is wrong with the agent.
 *
 * @example (await heldKeys('/run/agent')).map(({ type }) => type) // ['ssh-ed25519']
 */
export async function heldKeys(path: string): Promise<readonly HeldKey[]> {
  const socket = connect(path)
  socket.write(Buffer.from([0, 0, 0, 1, request]))
  let said = Buffer.alloc(0)
  for await (const chunk of socket) {
    said = Buffer.concat([said, chunk])
    const length = said.length < 4 ? 0 : said.readUInt32BE()
    if (length > limit) throw new Error('it does not answer as an agent does')
    // Leaving the loop closes the socket.
    if (length > 0 && said.length >= 4 + length) return keysOf(said.subarray(4, 4 + length))
  }
  throw new Error('it hung up')
}

function keysOf(said: Buffer): HeldKey[] {
  if (said[0] !== answer || said.length < 5) throw new Error('it does not tell its keys')
  const words = wordsOf(said.subarray(5))
  return Array.from({ length: said.readUInt32BE(1) }, () => {
    const [blob, comment] = [words.next().value, words.next().value]
    if (blob === undefined || comment === undefined) throw new Error('its list of keys is cut off')
    return { type: wordsOf(blob).next().value?.toString('latin1') ?? '', blob, comment: comment.toString() }
  })
}

/** The words of SSH's wire format, each after its length; it ends where what follows is none. */
function* wordsOf(bytes: Buffer): Generator<Buffer, undefined> {
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) return
    yield bytes.subarray(at + 4, end)
    at = end
  }
}
