import type { Image, NodeState, Region, Size } from '../../../engine/node/provider.js'
import type { Secret } from '../../../engine/shell/secret.js'
import type { Marks } from './marks.js'

/** A machine as its provider sees it now. */
export interface Machine {
  readonly id: string
  readonly name: string
  readonly state: NodeState
  /** Public, and undefined until it has one. */
  readonly address?: string | undefined
  /** Undefined on one that is none of kraft's. */
  readonly marks: Marks | undefined
  /** Why it will never run. */
  readonly fault?: string | undefined
}

/** What is made for a machine and lives beside it: a firewall, a key, an address. Its name bears the marks (`nameOf`). */
export interface Extra {
  readonly kind: string
  readonly id: string
  readonly name: string
}

/** An image with the word that the API wants for it, where that is another one than people use. */
export interface Base extends Image {
  readonly ref?: string | number
}

/** A size with the word that the API wants for it, where that is another one. */
export interface Sized extends Size {
  readonly ref?: string
}

/** One machine, as it is asked for. */
export interface Order {
  readonly name: string
  readonly marks: Marks
  readonly image: Base
  readonly size: Sized
  /** Undefined where the provider has none. */
  readonly region: string | undefined
  readonly userData: Secret
  /** The user's, in OpenSSH's one-line form. */
  readonly publicKey: string
}

/**
 * What a cloud must be able to do; all else is in `cloudProvider`. It throws `ApiError`. Nothing is ever looked for by what an
 * answer said alone: answers get lost, marks don't.
 */
export interface Cloud {
  /** The region that it is connected to, where each is a cloud of its own. */
  readonly region?: string
  /** The machines that bear kraft's marks. */
  machines(): Promise<readonly Machine[]>
  /** Any machine; undefined where there is none. */
  machine(id: string): Promise<Machine | undefined>
  /** All firewalls, keys… whose names could be kraft's. */
  extras(): Promise<readonly Extra[]>
  /** What nodes can be made from, newest first. */
  images(): Promise<readonly Base[]>
  sizes(): Promise<readonly Sized[]>
  regions(): Promise<readonly Region[]>
  /** Makes a machine and what it needs beside it. */
  launch(order: Order): Promise<string>
  /** Makes what can be made only once the machine runs, unless it is there; gives the address by which it is reached. */
  surround?(machine: Machine, marks: Marks): Promise<string | undefined>
  /** Writes marks to a machine: those that it has, and more. */
  mark(machine: Machine, marks: Marks): Promise<void>
  remove(machine: string): Promise<void>
  removeExtra(extra: Extra): Promise<void>
}
