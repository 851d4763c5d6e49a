import type { Section } from '../engine/config/section.js'
import type { Sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'

/** The instance as recipes on its node see it. */
export interface Place {
  /** The instance: its user, group, database and folder. */
  readonly name: string
  /** `/web/NAME`. */
  readonly home: string
}

/** How a service's data gets out of an instance and back. Scripts run as root under `sh -e`. */
export interface ServiceData {
  /** The file in a bundle: `postgres.dump`. */
  readonly member: string
  /**
   * Writes the data, as one moment sees it, to the file `$KRAFT_OUT`, and prints `NAME NUMBER` lines that say how much is in
   * it (rows, files): for the manifest, and compared after a load.
   */
  dump(place: Place): Sh
  /** Prints the same lines of the live data, for people who ask what they would lose. */
  count(place: Place): Sh
  /** Loads the file `$KRAFT_IN` beside the live data, as the instance's own user, and leaves the live data alone. */
  beside(place: Place): Sh
  /** Prints the same lines as `dump`, of what lies beside. */
  countBeside(place: Place): Sh
  /** How what lies beside is reached, before it is live; left out where only the service itself can. */
  copy?(place: Place): Copy
  /** Puts what lies beside in the place of the live data, which becomes the former; there is no former when it begins. */
  swap(place: Place): Sh
  /**
   * Takes a swap back, as far as it got: the former data are live again, and what was loaded lies beside. Changes nothing where there
   * is no former, because a crash may run it twice.
   */
  undo(place: Place): Sh
  /** What lies beside becomes the former data: what an undo took away can be had back. */
  keep(place: Place): Sh
  /** Removes the former data. */
  forget(place: Place): Sh
  /** Removes what lies beside. */
  discard(place: Place): Sh
}

/** Data that lie beside the live data, as `sanitize:` reaches them. */
export interface Copy {
  /** Variables that the application knows, naming the copy. */
  readonly environ: Readonly<Record<string, string>>
  /** A command that takes SQL from stdin, as the instance's own role. */
  readonly sql?: Sh
}

/** Marks one that a kraftfile exports; registered, so that another copy of kraftwerk makes what this one takes. */
export const serviceMark = Symbol.for('kraftwerk.service')

/**
 * Data or I/O that a project asks for under `services:`. One file in recipes/services/ exports `service`, named like the file.
 *
 * @example export const service = defineService({ name: 'files', doc: 'Uploads, served by nginx', … })
 */
export interface Service {
  readonly name: string
  /** One line for help and the docs. */
  readonly doc: string
  /** What `services: [{ NAME: … }]` may set. */
  readonly section: Section
  /** What the node needs; the same for all instances. */
  install(): readonly Step[]
  /** What the instance needs. Runs at each deploy and changes nothing the second time. */
  setup(place: Place, settings: Readonly<Record<string, unknown>>): readonly Step[]
  /** What the application finds in its environment. */
  environ(place: Place, settings: Readonly<Record<string, unknown>>): Readonly<Record<string, string>>
  /** Names of variables that `setup` writes to `layout.made(place, NAME)` on the node instead, because they hold secrets. */
  readonly made?: readonly string[]
  /** Left out by a service that has nothing to keep. */
  readonly data?: ServiceData
  /** Removes the instance's data and access; the node keeps the program. */
  destroy(place: Place): readonly Step[]
}

/** Gives a service its type. */
export function defineService(service: Service): Service {
  return service
}
