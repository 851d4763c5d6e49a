import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { KraftError } from '../errors/failure.js'

/** An archive while it is made. */
export interface Packed {
  /** The bytes of the tar archive. */
  readonly stream: Readable
  /** Resolves when it is whole; rejects with `task` where a file could not be packed. */
  readonly done: Promise<void>
}

// An archive ends with two empty blocks.
const nothing = Buffer.alloc(1024)

/** Packs files, links and folders (without what is in them) of a folder with tar. */
export function pack(folder: string, paths: readonly string[]): Packed {
  if (paths.length === 0) return { stream: Readable.from([nothing]), done: Promise.resolve() }
  const tar = spawn('tar', ['--null', '--no-recursion', '-C', folder, '-cf', '-', '-T', '-'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // macOS would add files of its own.
    env: { ...process.env, COPYFILE_DISABLE: '1' },
  })
  let complaint = ''
  tar.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4000)
  })
  // A tar that is not there or ends early says so by its code.
  tar.stdin.on('error', () => undefined)
  const ended = once(tar, 'close').catch((error: unknown) => [String(error)])
  tar.stdin.end(paths.map((path) => `./${path}\0`).join(''))
  const done = ended.then(([code, signal]) => {
    // Ended by whoever read it and wanted no more.
    if (code === 0 || signal === 'SIGPIPE') return
    const output = complaint.trim() || String(code)
    throw new KraftError({ kind: 'task', message: `The files of ${folder} could not be packed`, output })
  })
  done.catch(() => undefined)
  return { stream: tar.stdout, done }
}

/** The bytes that files of these sizes have in an archive: each has a header and is padded to 512. */
export function packedSize(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + 512 + Math.ceil(size / 512) * 512, 0)
}
