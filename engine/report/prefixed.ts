import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

// A line that never ends is broken here, so that memory stays flat.
const longest = 1 << 20

/**
 * Writes what comes out of one of several streams to a stream that they share, with a label before each line. A line is
 * written whole, so that lines of several sources never mix; the last one gets the line break that it lacks. Bytes stay as they
 * are. Waits where the reader is slower. Resolves when the source has ended.
 *
 * @example await Promise.all(nodes.map(({ name, out }) => prefixed(out, `${name} | `, process.stdout)))
 */
export async function prefixed(source: Readable, label: string, shared: Writable): Promise<void> {
  const start = Buffer.from(label)
  let rest: Buffer[] = []
  let size = 0
  const write = async (lines: readonly Buffer[]) => {
    if (lines.length === 0 || shared.destroyed) return
    if (!shared.write(Buffer.concat(lines)) && !shared.destroyed) await drained(shared)
  }
  for await (const given of source) {
    const chunk = Buffer.isBuffer(given) ? given : Buffer.from(String(given))
    const out: Buffer[] = []
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      out.push(start, ...rest, chunk.subarray(from, end + 1))
      rest = []
      size = 0
      from = end + 1
    }
    if (from < chunk.length) {
      rest.push(chunk.subarray(from))
      size += chunk.length - from
    }
    if (size > longest) {
      out.push(start, ...rest, lineBreak)
      rest = []
      size = 0
    }
    await write(out)
  }
  if (size > 0) await write([start, ...rest, lineBreak])
}

const lineBreak = Buffer.from('\n')

// A reader that goes away (`| head`) never drains.
async function drained(stream: Writable): Promise<void> {
  const done = new AbortController()
  const closed = once(stream, 'close', { signal: done.signal }).catch(() => undefined)
  const drain = once(stream, 'drain', { signal: done.signal }).catch(() => undefined)
  await Promise.race([closed, drain])
  done.abort()
}

/** Labels of one width, in colours that tell neighbours apart where the stream is a terminal. */
export function labels(names: readonly string[], colored: boolean): readonly string[] {
  const width = Math.max(0, ...names.map((name) => name.length))
  return names.map((name, index) => {
    const text = `${name.padEnd(width)} |`
    return colored ? `\x1b[${colors[index % colors.length]}m${text}\x1b[0m ` : `${text} `
  })
}

const colors = [36, 33, 35, 32, 34, 96, 93, 95, 92, 94]
