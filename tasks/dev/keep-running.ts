import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { prefixed } from '../../engine/report/prefixed.js'
import { signalGroup } from '../../engine/shell/signal-group.js'
import { endGroup, type Guard } from './group.js'
import type { Program } from './programs.js'
import type { Screen } from './screen.js'

/** Where programs run. */
export interface Stage {
  readonly folder: string
  readonly environ: Readonly<Record<string, string>>
  readonly screen: Screen
  readonly guard: Guard
}

/** A program that is kept running. */
export interface Kept {
  /** A file was saved: what does not see that itself is started anew, and what waits after its end as well. */
  saved(paths: readonly string[]): void
  /** Ends it with all that it has started. */
  end(): Promise<void>
  /** The same at once, with no time to tidy up. */
  kill(): void
}

/** Seconds after which a program counts as one that works, and seconds of the longest pause before the next try. */
const steady = 10
const longest = 30

/** Milliseconds that the output of a program may last longer than the program. */
const lingering = 1000

/**
 * Runs a program again and again until it is told to end, each time in a process group of its own. One that ends by itself is started anew
 * after a pause, which doubles as long as it does not last.
 */
export function keepRunning(program: Program, { folder, environ, screen, guard }: Stage): Kept {
  const { name, patience } = program
  const writer = screen.writer(name)
  let group: number | undefined
  let isEnding = false
  let replacing: string | undefined
  let wake: () => void = () => undefined
  const once = async () => {
    const child = start(program, folder, { ...environ, ...program.environ })
    const ended = endOf(child)
    group = child.pid
    if (group !== undefined) guard.add(group)
    const shown = child.stdout === null ? Promise.resolve() : prefixed(child.stdout, screen.label(name), writer)
    const how = await ended
    if (group !== undefined) {
      await endGroup(group, patience)
      guard.remove(group)
      group = undefined
    }
    const limit = new AbortController()
    // What has made a session of its own may have the output open for ever.
    await Promise.race([
      shown.catch(() => undefined),
      pause(lingering, undefined, { signal: limit.signal }).catch(() => undefined),
    ])
    limit.abort()
    child.stdout?.destroy()
    return how
  }
  const run = async () => {
    let pauses = 0
    while (!isEnding) {
      const began = performance.now()
      const how = await once()
      if (isEnding) return
      if (replacing !== undefined) {
        screen.say(`${name} starts anew: ${replacing}`)
        replacing = undefined
        pauses = 0
        continue
      }
      if (performance.now() - began > steady * 1000) pauses = 0
      const seconds = Math.min(longest, 2 ** pauses)
      pauses += 1
      screen.sayEnd(name, `${name} ended with ${how}; it starts again in ${seconds} s, or when a file is saved`)
      const waiting = new AbortController()
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      await Promise.race([woken, pause(seconds * 1000, undefined, { signal: waiting.signal }).catch(() => undefined)])
      waiting.abort()
    }
  }
  const running = run()
  return {
    saved(paths) {
      wake()
      if (program.reloads || group === undefined || replacing !== undefined || isEnding) return
      replacing = paths.length > 3 ? `${paths.length} files were saved` : `${paths.join(', ')}`
      void endGroup(group, patience)
    },
    async end() {
      isEnding = true
      wake()
      if (group !== undefined) await endGroup(group, patience)
      await running
    },
    kill() {
      isEnding = true
      if (group !== undefined) signalGroup(group, 'SIGKILL')
    },
  }
}

// Both outputs are one pipe, so that their order stays; a session of its own, so that the terminal's Ctrl-C reaches kraft alone.
function start({ command }: Program, cwd: string, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', ...command], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(code === null ? String(signal) : `code ${code}`))
  })
}
