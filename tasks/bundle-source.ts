import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { KraftError } from '../engine/errors/failure.js'
import type { Session } from '../engine/task/session.js'
import { passBundle, proveBundle } from '../project/bundle.js'
import type { Manifest } from '../project/manifest.js'

/** A bundle that is to be loaded. */
export interface BundleSource {
  /** For messages. */
  readonly name: string
  readonly manifest: Manifest
  /** Its bytes; once. */
  open(): Readable
  /** Reads what was not read yet, and throws unless all of it is right. */
  prove(): Promise<unknown>
}

/** Proves a bundle: a file at once, and what is piped in (`-`) while it is read, so that nothing wrong ever gets to a node. */
export async function bundleSource(file: string, session: Session): Promise<BundleSource> {
  if (file !== '-') {
    const path = resolve(session.folder, file)
    const manifest = await proveBundle(path)
    return { name: file, manifest, open: () => createReadStream(path), prove: async () => undefined }
  }
  if (process.stdin.isTTY === true) {
    throw new KraftError({
      kind: 'usage',
      message: 'There is no bundle on stdin, which is a terminal',
      next: 'Pipe one in: kraft dump:live - | kraft load:stage - --yes',
    })
  }
  const name = 'what was piped in'
  const { stream, manifest, proven } = await passBundle(process.stdin, name)
  // Whoever writes there must not wait for a kraft that has no use for it any more.
  session.onEnd(async () => void process.stdin.destroy())
  return {
    name,
    manifest: await manifest,
    open: () => stream,
    prove: () => {
      stream.resume()
      return proven
    },
  }
}
