import { createHash } from 'node:crypto'

/** One thing in a tree, as a folder lists it. A folder stands here only where it is empty. */
export interface TreeEntry {
  /** Relative to the tree, with slashes. */
  readonly path: string
  readonly type: 'file' | 'link' | 'folder'
}

/** What a manifest tells apart: files, files that can be executed, symbolic links, empty folders. */
export type Kind = 'file' | 'program' | 'link' | 'folder'

/** One line of a manifest. */
export interface ManifestEntry {
  readonly path: string
  readonly kind: Kind
  /** SHA-256 in hex: of a file's bytes, of a link's target; of nothing for a folder. */
  readonly hash: string
}

const letters: Readonly<Record<Kind, string>> = { file: 'f', program: 'x', link: 'l', folder: 'd' }
const kinds: ReadonlyMap<string, Kind> = new Map(Object.entries(letters).map(([kind, letter]) => [letter, kind as Kind]))

/** A hash is hex, so that all that stands before a path has the same length. */
const pathAt = 'f '.length + 64 + 2

/** SHA-256 in hex. */
export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

/**
 * What a tree holds, as text: `KIND HASH  PATH` for each entry, ended by NUL and sorted by bytes as `LC_ALL=C sort -z` does, so that
 * coreutils can compare, join and check manifests on a node. `tr '\0' '\n' <manifest` shows one to a person.
 */
export class Manifest {
  readonly records: readonly string[]
  /** SHA-256 of {@link text}: equal digests, equal trees. */
  readonly digest: string
  readonly text: string

  constructor(records: Iterable<string>) {
    this.records = sorted(records)
    this.text = ended(this.records)
    this.digest = sha256(this.text)
  }

  /** The manifest of these entries. */
  static of(entries: Iterable<ManifestEntry>): Manifest {
    return new Manifest([...entries].map(record))
  }

  /** Reads {@link text}. */
  static read(text: string): Manifest {
    return new Manifest(text.split('\0').filter((each) => each !== ''))
  }

  /** The entries, in the manifest's order. */
  get entries(): readonly ManifestEntry[] {
    return this.records.map((text) => ({
      kind: kinds.get(text[0] ?? '') ?? 'file',
      hash: text.slice(2, 66),
      path: text.slice(pathAt),
    }))
  }
}

/** One line of a manifest, without its NUL. */
export function record({ kind, hash, path }: ManifestEntry): string {
  return `${letters[kind]} ${hash}  ${path}`
}

/** Words as a program reads them with `-0`. */
export function ended(words: Iterable<string>): string {
  return [...words].map((word) => `${word}\0`).join('')
}

/** Sorted by bytes: JavaScript's own order is another one beyond the first 65,536 characters. */
export function sorted(texts: Iterable<string>): readonly string[] {
  const all = [...texts]
  if (all.every((text) => /^[\0-\x7f]*$/.test(text))) return all.sort()
  return all
    .map((text) => Buffer.from(text))
    .sort(Buffer.compare)
    .map((bytes) => bytes.toString())
}
