import { isKraftError, KraftError } from '../engine/errors/failure.js'
import { hasColors } from '../engine/report/abilities.js'
import { ctrlC } from '../engine/ssh/ctrl-c.js'
import { type Streamed, streamLines } from '../engine/ssh/stream-lines.js'
import { option } from '../engine/task/option.js'
import { ExitCode, Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { byTime, type LogEntry } from '../project/log-entries.js'
import { parseSince } from '../project/since.js'
import { balancersAmong, releaseNodes } from '../recipes/followers.js'
import { noLogs, readLogs } from '../recipes/logs.js'
import { noRelease } from './current-release.js'
import { chosen, LogPrinter, LogReader } from './log-lines.js'

// How many lines of each log are looked through for --since and --grep.
const most = 50_000

/** Shows the logs of an instance on all of its nodes in the order of time. */
export const logs = task({
  on: 'once',
  needs: 'instance',
  group: 'Day by day',
  meantBy: ['tail', 'journal'],
  help: 'show what web, processes, cron and nginx have logged\nOf all nodes, in order of time.',
  changes: 'nothing',
  examples: [
    'kraft logs:live',
    'kraft logs:live web worker --follow',
    'kraft logs:live nginx --since 1h --grep " 50[0-9] "',
    'kraft logs:live --lines 1000 | less',
  ],
  raw: true,
  options: {
    logs: option({
      type: 'string',
      positional: true,
      many: true,
      help: 'web, a process, cron.ENTRY, nginx, a service; default: all',
    }),
    follow: option({ type: 'boolean', help: 'go on with what comes, until Ctrl-C' }),
    since: option({ type: 'string', help: 'only what is newer: 90s, 15m, 1h30m, 2d, or "2026-11-28 17:30"' }),
    grep: option({ type: 'string', help: 'only what has this in it (a regular expression); a traceback counts as a whole' }),
    lines: option({ type: 'number', help: 'the newest so many lines (default: 100; with --since all)' }),
  },
  async run({ target, options, session }) {
    const instance = requireInstance(target)
    const nodes = [...new Set([...releaseNodes(instance, target.nodes), ...balancersAmong(target.nodes)])]
    const { lines = options.since === undefined ? 100 : Number.POSITIVE_INFINITY } = options
    if (lines < 0) throw new KraftError({ kind: 'usage', message: `--lines is a number of lines, not ${lines}` })
    const since = options.since === undefined ? undefined : parseSince(options.since)
    const grep = options.grep === undefined ? undefined : pattern(options.grep)
    if (session.flags.dryRun) {
      const what = options.logs.length === 0 ? 'all logs' : `the logs ${options.logs.join(', ')}`
      const names = nodes.map(({ name }) => name)
      return new Result(`Would read ${what} of ${instance.name} on ${names.join(', ')}`, { nodes: names, logs: options.logs })
    }
    const search = since !== undefined || grep !== undefined
    const script = readLogs(instance, {
      names: options.logs,
      lines: search ? Math.max(most, Number.isFinite(lines) ? Math.ceil(lines) : 0) : Math.ceil(lines),
      follow: options.follow,
    })
    const { stdout } = process
    const printer = new LogPrinter({
      nodes: nodes.length > 1,
      logs: options.logs.length !== 1,
      color: hasColors(stdout),
    })
    const print = (entries: readonly LogEntry[]) =>
      void stdout.write(session.flags.json ? entries.map(asJson).join('') : printer.print(entries))

    // What is there already comes from all nodes in one order; what is new as it comes.
    const first = new Map<string, readonly (readonly LogEntry[])[]>()
    const showFirst = () => print(chosen(byTime([...first.values()].flat()), { since, grep, lines }))
    const readers = nodes.map(({ name }) => {
      const reader: LogReader = new LogReader(name, (found) => {
        if (first.has(name)) print(chosen(byTime(found), { grep }))
        else {
          first.set(name, found)
          if (first.size === nodes.length) {
            refuseUnknown(options.logs, readers, target.word)
            showFirst()
          }
        }
      })
      return reader
    })
    const streams: Streamed[] = []
    let failure: unknown
    const end = () => {
      for (const each of streams) each.close()
    }
    const stop = ctrlC(end)
    const broken = () => end()
    process.on('SIGINT', stop).on('SIGTERM', end).on('SIGHUP', end)
    stdout.on('error', broken)
    try {
      await Promise.all(
        nodes.map(async (node, index) => {
          const stream = await streamLines(node.connection, node.asRoot(script.text), (line) => {
            try {
              readers[index]?.take(line)
            } catch (error) {
              failure ??= error
              end()
            }
          })
          streams.push(stream)
          await stream.ended.catch((error: unknown) => {
            throw isKraftError(error) && 'output' in error.failure && error.failure.output === noLogs
              ? noRelease(instance, node)
              : error
          })
        }),
      )
    } finally {
      end()
      process.off('SIGINT', stop).off('SIGTERM', end).off('SIGHUP', end)
    }
    if (failure !== undefined) throw failure
    return new ExitCode(0)
  },
})

function pattern(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new KraftError({ kind: 'usage', message: `--grep: ${message}` }, error)
  }
}

function refuseUnknown(names: readonly string[], readers: readonly LogReader[], word: string): void {
  const known = [...new Set(readers.flatMap((reader) => reader.known))].sort()
  const unknown = names.filter((name) => !known.some((log) => log === name || log.startsWith(`${name}.`)))
  if (unknown[0] === undefined) return
  throw new KraftError({
    kind: 'usage',
    message: `${word} has no log ${unknown[0]}`,
    next: known.length === 0 ? 'It has none yet' : `It has ${known.join(', ')}`,
  })
}

function asJson({ node, log, time, lines }: LogEntry): string {
  return `${JSON.stringify({ node, log, time: time === undefined ? null : new Date(time).toISOString(), text: lines.join('\n') })}\n`
}
