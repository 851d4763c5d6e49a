import { hasColors } from '../report/abilities.js'
import { labels, prefixed } from '../report/prefixed.js'
import type { Connection } from './connection.js'
import { ctrlC } from './ctrl-c.js'
import { exitCode } from './exit-code.js'
import { Gate } from './gate.js'
import { gather } from './gather.js'
import { execGroup, type Group } from './group.js'

/** One of the commands that {@link runMany} runs at once. */
export interface Member {
  /** What stands before each of its lines. */
  readonly label: string
  readonly connection: Connection
  readonly command: string
}

/** How one of them ended. */
export interface Outcome {
  readonly label: string
  /** The command's own code, 128 + n for signals; 255 where kraft could not run it. */
  readonly code: number
  /** What kept kraft from running it, or cut it off. */
  readonly error?: unknown
  /** What it wrote, where it was to be kept. */
  readonly stdout?: string
  readonly stderr?: string
}

/**
 * Runs a command on each of several nodes at once, without input. Their output is printed line by line behind their labels,
 * stdout and stderr apart, or kept with `keep`; `parallel` is how many run at once, at most. A node that fails does not stop the others. The first Ctrl-C interrupts the
 * commands, the second one ends kraft. Never throws for what happens to a single one.
 */
export async function runMany(
  members: readonly Member[],
  { keep, parallel = members.length }: { readonly keep: boolean; readonly parallel?: number },
): Promise<readonly Outcome[]> {
  const { stdout, stderr } = process
  const [out, err] = [stdout, stderr].map((stream) =>
    labels(
      members.map(({ label }) => label),
      hasColors(stream),
    ),
  )
  const groups = new Set<Group>()
  let stopped: NodeJS.Signals | undefined
  const signal = (name: NodeJS.Signals) => {
    stopped = name
    for (const group of groups) void group.kill(name)
  }
  const interrupt = ctrlC(() => signal('SIGINT'))
  // Nobody reads any more (`| head`): the commands are of no use.
  const broken = () => signal('SIGPIPE')
  const ignored = () => undefined
  stdout.on('error', broken)
  stderr.on('error', ignored)
  process.on('SIGINT', interrupt).on('SIGTERM', signal).on('SIGHUP', signal)

  const run = async ({ label, connection, command }: Member, index: number): Promise<Outcome> => {
    try {
      const group = await execGroup(connection, command)
      groups.add(group)
      try {
        const { channel } = group
        if (stopped !== undefined) void group.kill(stopped)
        if (keep) {
          const { exit, ...said } = await gather(channel)
          return { label, code: exitCode(exit), ...said }
        }
        channel.stdin.end()
        await Promise.all([
          prefixed(channel.stdout, out?.[index] ?? '', stdout),
          prefixed(channel.stderr, err?.[index] ?? '', stderr),
        ])
        return { label, code: exitCode(await channel.exit) }
      } finally {
        groups.delete(group)
      }
    } catch (error) {
      return { label, code: 255, error }
    }
  }
  try {
    const gate = new Gate(parallel)
    return await Promise.all(members.map((member, index) => gate.through(() => run(member, index))))
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', signal).off('SIGHUP', signal)
    stdout.off('error', broken)
    stderr.off('error', ignored)
  }
}
