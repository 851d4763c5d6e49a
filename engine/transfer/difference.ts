import { posix } from 'node:path'
import type { Fingerprint } from './fingerprint.js'
import { Manifest, record, sorted } from './manifest.js'

/** A tree that a node has already. */
export interface Held {
  readonly id: string
  readonly manifest: Manifest
  /** What was changed there since it was made: neither that nor what is below it can be relied on. */
  readonly touched: readonly string[]
}

/** How a tree comes to be on a node: what is copied there from trees that it has, and what is sent. */
export interface Shipment {
  readonly manifest: Manifest
  /** The tree that is the pattern: what it has at the same path is copied. Undefined: everything is sent. */
  readonly base: string | undefined
  /** Records of the base's manifest that the new one lacks, and the other way round. */
  readonly removed: readonly string[]
  readonly added: readonly string[]
  /** Records that both have, but not to be copied from the base. */
  readonly again: readonly string[]
  /** Copies of another path or tree: `ID/path` to `path`. */
  readonly copies: readonly (readonly [from: string, to: string])[]
  /** What travels: files whose bytes the node lacks, all links, empty folders, and those that copies need. */
  readonly packed: readonly Fingerprint[]
  /** How many files are sent. */
  readonly files: number
  /** Their bytes. */
  readonly bytes: number
}

/** A copy of another path costs the node a process; beyond so many the bytes are the lesser evil. */
const most = 1000

/**
 * What it takes to make a tree on a node that has others. The largest part that it has at the same paths is the base.
 *
 * @example difference(await fingerprint(folder, entries), []).files // all of them
 */
export function difference(wanted: readonly Fingerprint[], held: readonly Held[]): Shipment {
  const manifest = Manifest.of(wanted)
  const sizes = new Map(wanted.map((entry) => [record(entry), entry.size + 1]))
  const has = held.map((tree) => ({ tree, records: new Set(tree.manifest.records) }))
  const shared = (records: ReadonlySet<string>) =>
    manifest.records.reduce((sum, each) => sum + (records.has(each) ? (sizes.get(each) ?? 0) : 0), 0)
  const base = has.map((each) => ({ ...each, shared: shared(each.records) })).reduce<Best>(better, undefined)
  const wantedRecords = new Set(manifest.records)

  const again: string[] = []
  const lacking: Fingerprint[] = []
  const copies: [string, string][] = []
  const sent: Fingerprint[] = []
  const touched = base === undefined ? () => false : below(base.tree.touched)
  for (const entry of wanted.filter(isFile)) {
    const same = base?.records.has(record(entry)) === true
    if (same && !touched(entry.path)) continue
    if (same) again.push(record(entry))
    lacking.push(entry)
  }
  const contents = whereabouts(held, new Set(lacking.map(({ hash }) => hash)))
  for (const entry of lacking.sort((a, b) => b.size - a.size)) {
    const from = contents.get(entry.hash)
    if (from === undefined || entry.size === 0 || copies.length === most) sent.push(entry)
    else copies.push([from, entry.path])
  }
  const folders = new Set(copies.map(([, to]) => posix.dirname(to)).filter((path) => path !== '.'))
  return {
    manifest,
    base: base?.tree.id,
    removed: base === undefined ? [] : base.tree.manifest.records.filter((each) => !wantedRecords.has(each)),
    added: manifest.records.filter((each) => base?.records.has(each) !== true),
    again: sorted(again),
    copies,
    packed: [
      ...[...folders].map((path) => ({ path, kind: 'folder' as const, hash: '', size: 0 })),
      ...wanted.filter((entry) => !isFile(entry)),
      ...sent,
    ],
    files: sent.length,
    bytes: sent.reduce((sum, { size }) => sum + size, 0),
  }
}

type Best = { readonly tree: Held; readonly records: ReadonlySet<string>; readonly shared: number } | undefined

function better(best: Best, each: NonNullable<Best>): Best {
  return each.shared > (best?.shared ?? 0) ? each : best
}

function isFile({ kind }: { readonly kind: string }): boolean {
  return kind === 'file' || kind === 'program'
}

/** A file of the node for each of these contents that it has. */
function whereabouts(held: readonly Held[], hashes: ReadonlySet<string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  if (hashes.size === 0) return found
  for (const { id, manifest, touched } of held) {
    const changed = below(touched)
    for (const entry of manifest.entries) {
      if (!hashes.has(entry.hash) || found.has(entry.hash) || !isFile(entry) || changed(entry.path)) continue
      found.set(entry.hash, `${id}/${entry.path}`)
    }
  }
  return found
}

/** Whether a path is one of these or below one. */
function below(paths: readonly string[]): (path: string) => boolean {
  const all = new Set(paths)
  if (all.size === 0) return () => false
  return (path) => {
    for (let end = path.length; end !== -1; end = path.lastIndexOf('/', end - 1)) {
      if (all.has(path.slice(0, end))) return true
      if (end === 0) break
    }
    return false
  }
}
