import type { Node } from '../../engine/node/node.js'
import type { Sh } from '../../engine/shell/sh.js'
import type { Instance } from '../../project/instance.js'
import type { UsedService } from '../application.js'

/** What a part of `kraft status` knows of the node that it looks at. */
export interface Looked {
  readonly instance: Instance
  readonly node: Node
  /** As behind the colon, for what to do. */
  readonly word: string
  readonly services: readonly UsedService[]
  /** The node has a release of the instance. */
  readonly deployed: boolean
  /** Between these times of this machine the node was looked at. */
  readonly between: readonly [Date, Date]
}

/** Something that needs a hand. */
export interface Attention {
  readonly what: string
  /** What to do: one line. */
  readonly next: string
}

/** What a part has found. */
export interface Found {
  /** For people: what each is, and how. */
  readonly rows: readonly (readonly [what: string, how: string])[]
  /** For programs. */
  readonly data: unknown
  readonly attention: readonly Attention[]
}

/**
 * A part of `kraft status`: what it asks a node, and what it makes of the answer. All parts are one script and one round trip.
 * What a part prints is its own, and whether its script fails does not matter to the others.
 */
export interface StatusPart {
  /** Its key in `--json`. */
  readonly name: string
  /** POSIX sh for root. Undefined where it has nothing to ask of this node. */
  look(looked: Omit<Looked, 'deployed' | 'between'>): Sh | undefined
  read(printed: string, looked: Looked): Found
}

/** A part that looks at the node itself, whatever is on it. */
export interface NodePart extends StatusPart {
  look(): Sh
  read(printed: string, looked: Pick<Looked, 'node' | 'between'>): Found
}

/** Rows of `NAME VALUE` by their names. */
export function pairs(printed: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    printed
      .split('\n')
      .filter((row) => row !== '')
      .map((row) => [row.split(' ', 1)[0] ?? '', row.slice(row.indexOf(' ') + 1).trim()]),
  )
}
