import type { Shell } from 'zx'
import { KraftError } from '../errors/failure.js'
import type { Line } from '../report/report.js'
import { asRoot } from '../shell/as-root.js'
import { quote } from '../shell/sh.js'
import type { Connection } from '../ssh/connection.js'
import { compile, type Script } from '../step/compile.js'
import { type Applied, type Phase, showPhases, showSteps } from '../step/show.js'
import type { Step } from '../step/step.js'
import { type Facts, readFacts } from './facts.js'
import type { NodeRecord } from './record.js'

/** A node that a task works on: its record, one connection, and what can be done over it. */
export interface Node {
  readonly name: string
  readonly record: NodeRecord
  /** The roles that it has in the target's environment: `web`, `db`…; a node that is listed without roles has every one. */
  readonly roles: readonly string[] | 'every'
  readonly connection: Connection
  /** Locks that this process holds there, by name, with their numbers: scripts run only while these are the newest. */
  readonly locks: Map<string, string>
  /** zx's `$` as the login. */
  readonly $: Shell
  /** zx's `$` as root, through sudo where the login is not root. */
  readonly root: { readonly $: Shell }
  /** zx's `$` as another user of the node, in its home and with nothing of the login's environment: `node.as('postgres').$`. */
  as(user: string): { readonly $: Shell }
  /** Facts, read once. */
  facts(): Promise<Facts>
  /** Takes facts that came with something else that was read there: nobody asks for them again. */
  know(facts: Facts): void
  /** Runs steps as one script and shows them below `line`. A dry run only checks them. */
  apply(title: string, steps: Iterable<Step>, line: Line): Promise<Applied>
  /** Runs phases, in their order, as one script: one round trip for all. `begun` hears of each that begins. Those without steps are passed over. */
  applyPhases(title: string, phases: readonly Phase[], line: Line, begun?: (title: string) => void): Promise<readonly Applied[]>
  /** Runs one command line as root and returns its output; a code other than 0 is thrown. Reads only: changes are steps. */
  read(command: string, input?: string | Buffer): Promise<string>
  /** The command line that runs POSIX sh text as root, for channels that stream. */
  asRoot(command: string): string
  /** Loads zx, after which `$` can be used. */
  prepare(): Promise<void>
}

/** Makes a {@link Node} of a record and a connection. */
export function createNode(
  record: NodeRecord,
  roles: readonly string[] | 'every',
  connection: Connection,
  mode: 'apply' | 'check',
  count: (node: string, applied: Applied) => void,
  watch: (script: Script) => void = () => undefined,
): Node {
  let facts: Promise<Facts> | undefined
  let shell: ((wrap?: (command: string) => string) => Shell) | undefined
  const shells = new Map<string, Shell>()
  /** The shell of a user; `wrap` makes of bash's text what gets there. */
  const shellOf = (user: string, wrap?: (command: string) => string): Shell => {
    if (shell === undefined) throw new TypeError(`node.$ of ${record.name} is for tasks of a kraftfile`)
    const made = shells.get(user) ?? shell(wrap)
    shells.set(user, made)
    return made
  }
  const root = (command: string) => asRoot(connection.user, command)
  const locks = new Map<string, string>()
  return {
    name: record.name,
    record,
    roles,
    connection,
    locks,
    get $() {
      return shellOf('')
    },
    root: {
      get $() {
        return shellOf('root', (command) => root(`exec bash -c ${quote(command)}`))
      },
    },
    as: (user) => ({
      get $() {
        return shellOf(user, (command) => root(asUser(user, command)))
      },
    }),
    facts: () => {
      facts ??= readFacts(connection)
      return facts
    },
    know: (given) => {
      facts ??= Promise.resolve(given)
    },
    async apply(title, steps, line) {
      const script = compile(title, [...steps])
      watch(script)
      const applied = await showSteps(connection, { script, locks }, mode, line)
      count(record.name, applied)
      return applied
    },
    async applyPhases(title, phases, line, begun) {
      const some = phases.filter(({ steps }) => steps.length > 0)
      const script = compile(
        title,
        some.flatMap(({ steps }) => steps),
      )
      watch(script)
      const applied = await showPhases(connection, { script, locks, phases: some }, mode, line, begun)
      for (const each of applied) count(record.name, each)
      return applied
    },
    async read(command, input) {
      const { stdout, stderr, exit } = await connection.capture(root(command), input)
      if (exit.code === 0) return stdout
      throw new KraftError({
        kind: 'command',
        node: record.name,
        command: command.split('\n')[0] ?? '',
        code: exit.code,
        output: (stderr || stdout).trim(),
      })
    },
    asRoot: root,
    async prepare() {
      shell ??= await (await import('../shell/remote.js')).remoteShells(connection)
    },
  }
}

// --reset-env sets HOME, USER and SHELL as a login would, but would leave the language to chance.
function asUser(user: string, command: string): string {
  const enter = `cd "$HOME" 2>/dev/null || cd /; export LANG=C.UTF-8; exec bash -c ${quote(command)}`
  return `exec setpriv --reuid ${quote(user)} --regid "$(id -g -- ${quote(user)})" --init-groups --reset-env -- sh -c ${quote(enter)}`
}

/** Whether a node has a role; one that is listed without roles has every one. */
export function hasRole(node: Node, role: string): boolean {
  return node.roles === 'every' || node.roles.includes(role)
}
