import type { Section } from '../engine/config/section.js'
import type { Secret } from '../engine/shell/secret.js'
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
  /** Fails, and says what to do, where a load could not be done; asked before anything is sent. Left out: nothing hinders it. */
  ready?(place: Place): Sh
  /** The file in a bundle: `postgres.dump`. */
  readonly member: string
  /** Rows of other services name what is in it: it is dumped after them, so that none names what is missing. */
  readonly namedByOthers?: boolean
  /**
   * Writes the data, as one moment sees it, to the file `$KRAFT_OUT`, and prints `NAME NUMBER` lines that say how much is in
   * it (rows, files): for the manifest, and compared after a load.
   */
  dump(place: Place): Sh
  /**
   * Prints how many bytes `dump` takes on the disk while it is made, rather more than less: one that has no room for them is refused
   * before it begins. Left out: nobody asks.
   */
  size?(place: Place): Sh
  /** Prints the same lines of the live data, for people who ask what they would lose. */
  count(place: Place): Sh
  /** Makes what {@link ServiceData.beside} loads into, while the bundle is still on its way; left out where that takes no time. */
  makeBeside?(place: Place): Sh
  /**
   * Loads the file `$KRAFT_IN` beside the live data, as the instance's own user, and leaves the live data alone. Other services are loaded at
   * the same time.
   */
  beside(place: Place): Sh
  /** `beside` reads `$KRAFT_IN` once and in order: it need not wait until all of it has come. */
  readonly readsOnce?: boolean
  /** Prints the same lines as `dump`, of what lies beside. */
  countBeside(place: Place): Sh
  /** How what lies beside is reached, before it is live; left out where only the service itself can. */
  copy?(place: Place): Copy
  /** Puts what lies beside in the place of the live data, which becomes the former; there is no former when it begins. */
  swap(place: Place): Sh
  /** Does what takes long of an undo that people ask for, while what was loaded is still live; left out where nothing does. */
  prepareUndo?(place: Place): Sh
  /**
   * Takes a swap back, as far as it got: the former data are live again, and what was loaded lies beside. Changes nothing where there
   * is no former, because a crash may run it twice.
   */
  undo(place: Place): Sh
  /** What lies beside becomes the former data: what an undo took away can be had back. */
  keep(place: Place): Sh
  /** Removes the former data, and what {@link ServiceData.retire} has put away. */
  forget(place: Place): Sh
  /** Puts the former data where nobody looks for them, for {@link ServiceData.clear}; left out where removing them takes no time. */
  retire?(place: Place): Sh
  /** Removes what `retire` has put away, at any time and in its own time. */
  clear?(place: Place): Sh
  /** Removes what lies beside. */
  discard(place: Place): Sh
}

/** Where a service takes connections on its node. */
export interface Door {
  /**
   * The path of a socket, or a port of the node's loopback. Where the server is elsewhere: variables that say where, or a command that
   * ties its input and output to it; both know the variables of the file of {@link Elsewhere}.
   */
  readonly at:
    | string
    | number
    | { readonly host: string; readonly port: string; readonly usual: number }
    | { readonly command: readonly string[] }
  /** Of these variables the ones that {@link Door.url} wants; none of them is a secret. */
  readonly reads?: readonly string[]
  /** The one that holds the password which a client has to give. */
  readonly password?: string
  /** How a client names it that reaches it at a port of its own machine. */
  url(port: number, read: Readonly<Record<string, string>>): string
  /**
   * What an application finds in its environment that reaches it there, for `kraft dev`; `read` has what {@link Service.made} names as
   * well. Left out: it gets nothing of this service.
   */
  environ?(port: number, read: Readonly<Record<string, string>>): Readonly<Record<string, string>>
}

/** Whose machine `kraft dev` runs on. */
export interface Developer {
  /** A folder in the project's own for what the application keeps here; nothing sends it, and git does not see it. */
  readonly folder: string
  /** The project's name. */
  readonly name: string
  /** Who is logged in. */
  readonly user: string
}

/** A service that may run on a developer's machine, whoever started it. */
export interface Here {
  /** In words, as `the database shop at /tmp of this machine`. */
  readonly what: string
  /** The path of the socket, or the port of the loopback, that has to answer; left out: nothing has to. */
  readonly at?: string | number
  /** A command that has to succeed. */
  readonly proof?: readonly [string, ...string[]]
  /** What the application finds in its environment. */
  readonly environ: Readonly<Record<string, string>>
}

/** Data that lie beside the live data, as `sanitize:` reaches them. */
export interface Copy {
  /** Variables that the application knows, naming the copy. Left out where they would hold a password: a command gets no copy then. */
  readonly environ?: Readonly<Record<string, string>>
  /** A command that takes SQL from stdin, as the instance's own role. */
  readonly sql?: Sh
}

/**
 * A service whose server is on another node, or at an address that was given: what the application's node has of it. Its set-up writes
 * the variables by which the server is reached to root's file `layout.access`; its shell and what goes through its door find them in their
 * environment.
 */
export type Elsewhere = Pick<Service, 'install' | 'setup' | 'environ' | 'data' | 'shell' | 'door' | 'facts'> & {
  /** How a node with the role db serves it to others; left out by one that only an address can name. */
  readonly server?: ServiceServer
}

/** What the node with the role db has of a service. */
export interface ServiceServer {
  /** Comes before the service's own set-up there: what its server reads when it starts. */
  prepare?(place: Place, settings: Readonly<Record<string, unknown>>, reach: Reach): readonly Step[]
  /** Comes after the service's own set-up there. Runs at each deploy and changes nothing the second time. */
  setup(place: Place, settings: Readonly<Record<string, unknown>>, reach: Reach): readonly Step[]
  /** Prints, as root, what {@link ServiceServer.read} reads. */
  access(place: Place): Sh
  /** The settings by which other nodes reach it; undefined where it was not set up yet. */
  read(
    printed: string,
    place: Place,
    address: string,
    settings: Readonly<Record<string, unknown>>,
  ): Readonly<Record<string, unknown>> | undefined
}

/** Who reaches a server, and where. */
export interface Reach {
  /** The address by which the other nodes know it. */
  readonly address: string
  /** Their addresses. */
  readonly clients: readonly string[]
}

/** Marks one that a kraftfile exports; registered, so that another copy of kraftwerk makes what this one takes. */
export const serviceMark = Symbol.for('kraftwerk.service')

/**
 * Data or I/O that a project asks for under `services:`. One file in recipes/services/ exports `service`, named like the file.
 * One of a kraftfile is made by `service`.
 */
export interface Service {
  /** As it stands under `services:`: small letters, digits and hyphens. */
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
  environ(place: Place, settings: Readonly<Record<string, unknown>>): Readonly<Record<string, string | Secret>>
  /** Names of variables that `setup` writes to `layout.made(place, NAME)` on the node instead, because they hold secrets. */
  readonly made?: readonly string[]
  /** Left out by a service that has nothing to keep. */
  readonly data?: ServiceData
  /** The same service where its server is elsewhere, as the setting `url` or the role db says; left out by one that is always here. */
  readonly elsewhere?: Elsewhere
  /** The command line of its own shell, as `psql -d shop`: run as the instance's user, and what follows `--` comes behind it. */
  shell?(place: Place, settings: Readonly<Record<string, unknown>>): readonly string[]
  /** Where it takes connections from the instance's user, for `kraft forward`. */
  door?(place: Place, settings: Readonly<Record<string, unknown>>): Door
  /** What `kraft dev` looks for on a developer's machine, the best first. */
  here?(developer: Developer): readonly Here[]
  /**
   * Prints `NAME VALUE` lines that say how it is, for `kraft status`: version, size (in bytes), connections, whatever else counts.
   * Runs as root under `sh -e`, changes nothing, and fails where the service does not answer.
   */
  facts?(place: Place, settings: Readonly<Record<string, unknown>>): Sh
  /** Removes the instance's data and access; the node keeps the program. */
  destroy(place: Place): readonly Step[]
}

/** Gives a service its type. */
export function defineService(service: Service): Service {
  return service
}
