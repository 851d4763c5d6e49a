import { pipeline, Readable, Writable } from 'node:stream'
import { createGzip, gunzipSync, gzipSync } from 'node:zlib'
import { isKraftError } from '../errors/failure.js'
import type { Connection } from '../ssh/connection.js'
import type { Held, Shipment } from './difference.js'
import { ended, Manifest } from './manifest.js'
import { knownManifests, recallManifest } from './manifest-cache.js'
import { pack } from './pack.js'
import { receiveStream } from './receive.js'
import { sendStream } from './send.js'

/** The code that a node ends with where what it has put together is not what the manifest says. */
export const differs = 76

/**
 * Asks a node which trees it has. `command` gets the digests that are known here, one a line, and answers with a gzipped list of
 * words that end with NUL: `R ID DIGEST` for each tree, the one that serves first, `T PATH` behind it for what was touched there, and
 * `M RECORD` for the manifest of the first one where none of the digests is its. `cache` is the folder of engine/transfer/manifest-cache.ts.
 */
export async function askHeld(connection: Connection, command: string, cache: string): Promise<readonly Held[]> {
  const known = await knownManifests(cache)
  const pieces: Buffer[] = []
  const sink = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      pieces.push(piece)
      done()
    },
  })
  await receiveStream(connection, command, known.map((digest) => `${digest}\n`).join(''), sink)
  const answer = gunzipSync(Buffer.concat(pieces)).toString()
  const trees: { id: string; digest: string; touched: string[]; records: string[] }[] = []
  for (const word of answer.split('\0')) {
    const rest = word.slice(2)
    if (word.startsWith('R ')) {
      const [id = '', digest = ''] = rest.split(' ')
      trees.push({ id, digest, touched: [], records: [] })
    } else if (word.startsWith('T ')) trees.at(-1)?.touched.push(rest)
    else if (word.startsWith('M ')) trees[0]?.records.push(rest)
  }
  const held = await Promise.all(
    trees.map(async ({ id, digest, touched, records }) => {
      const manifest = records.length > 0 ? new Manifest(records) : await recallManifest(cache, digest)
      // A manifest that is not what its name says is as good as none.
      return manifest?.digest === digest ? { id, touched, manifest } : undefined
    }),
  )
  return held.filter((each) => each !== undefined)
}

/**
 * Sends what a node lacks of a tree, to a command that puts the tree together there. It gets a line with the base and the size of
 * what follows, gzipped lists of how to do so, and a gzipped tar archive. Returns the bytes that were sent; `count` hears of
 * those of the archive. Throws `command` with the code {@link differs} where that did not work out.
 */
export async function sendShipment(
  connection: Connection,
  folder: string,
  shipment: Shipment,
  command: string,
  count: (bytes: number) => void = () => undefined,
): Promise<number> {
  const lists = {
    removed: shipment.removed,
    added: shipment.added,
    again: shipment.again,
    copies: shipment.copies.flatMap(([from, to]) => [`../${from}`, `./${to}`]),
  }
  const parts = Object.entries(lists).map(([name, words]) => {
    const text = Buffer.from(ended(words))
    return Buffer.concat([Buffer.from(`${text.length} ${name}\n`), text])
  })
  const head = gzipSync(Buffer.concat(parts))
  let packed: Promise<void> | undefined
  const open = () =>
    Readable.from(
      (async function* () {
        yield Buffer.from(`${head.length} ${shipment.manifest.digest} ${shipment.base ?? ''}\n`)
        yield head
        const paths = shipment.packed.map(({ path }) => path)
        const archive = pack(folder, paths)
        packed = archive.done
        archive.stream.on('data', (chunk: Buffer) => count(chunk.length))
        try {
          // Code gets four times smaller even so, faster than most lines take it.
          yield* pipeline(archive.stream, createGzip({ level: 1 }), () => undefined)
        } finally {
          // A tar that nobody reads any more would wait for ever.
          archive.stream.destroy()
        }
      })(),
    )
  try {
    return await sendStream(connection, open, command)
  } finally {
    // What could not be packed is why the node did not get it.
    await packed
  }
}

/** Whether an upload failed because the files, or what the node has of them, changed meanwhile. */
export function isDiffering(error: unknown): boolean {
  return isKraftError(error) && error.failure.kind === 'command' && error.failure.code === differs
}
