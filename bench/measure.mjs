// Wall-clock times of whole processes. What is compared is run in turns, so that a busy moment of the machine hits all alike.
import { spawn } from 'node:child_process'

/**
 * Runs a command to its end and gives milliseconds, those `until` it said something, and what it said. Throws where it fails: a failure has
 * no time.
 */
export async function time(command, { cwd, env, signal, until } = {}) {
  signal?.throwIfAborted()
  const [file, ...args] = command
  const started = performance.now()
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  // kraft gives its locks back when it is asked to end, and that is waited for.
  const stop = () => child.kill('SIGINT')
  signal?.addEventListener('abort', stop)
  let said = ''
  let reached
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += chunk
      if (until !== undefined && said.includes(until)) reached ??= performance.now() - started
    })
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const milliseconds = performance.now() - started
  signal?.removeEventListener('abort', stop)
  signal?.throwIfAborted()
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${said.split('\n').slice(-15).join('\n')}`)
  if (until !== undefined && reached === undefined) throw new Error(`${command.join(' ')} never said "${until}":\n${said}`)
  return { milliseconds, reached, said }
}

/**
 * Times several commands `runs` times each, in turns: a list of times for each name, and for `NAME until` where it has one. `before` is not
 * counted.
 */
export async function inTurns(commands, runs, signal) {
  const names = Object.entries(commands).flatMap(([name, { until }]) => (until === undefined ? [name] : [name, `${name} until`]))
  const times = Object.fromEntries(names.map((name) => [name, []]))
  for (let run = 0; run < runs; run++)
    for (const [name, { command, before, ...options }] of Object.entries(commands)) {
      await before?.(run)
      const { milliseconds, reached } = await time(command, { ...options, signal })
      times[name].push(milliseconds)
      times[`${name} until`]?.push(reached)
    }
  return times
}

/** Median, and the tenth and ninetieth percentile as the machine's noise. */
export function spread(times) {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.round(share * (sorted.length - 1)))]
  const middle = (sorted.length - 1) / 2
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2
  return { median, p10: at(0.1), p90: at(0.9), runs: sorted.length }
}

/** The median of what one took more than the other in the same turn: steadier than the difference of two medians. */
export function more(times, base) {
  return spread(times.map((each, index) => each - base[index])).median
}

/** The median of how many times as much one took as the other in the same turn. */
export function ratio(times, base) {
  return spread(times.map((each, index) => each / base[index])).median
}
