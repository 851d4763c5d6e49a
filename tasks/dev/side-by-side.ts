import { ctrlC } from '../../engine/ssh/ctrl-c.js'
import { savedFiles } from '../saved-files.js'
import { startGuard } from './group.js'
import { keepRunning, type Stage } from './keep-running.js'
import type { Program } from './programs.js'

/** What runs, and where. */
export interface SideBySide extends Omit<Stage, 'guard'> {
  readonly programs: readonly Program[]
  /** Files of the project that a deploy leaves here. */
  readonly stays: readonly string[]
  /** Ends it from outside: it resolves when this does. */
  readonly stopped: Promise<void>
}

/**
 * Runs programs side by side until Ctrl-C, and ends them with all that they have started. At a second Ctrl-C, and however else kraft
 * ends, they are killed.
 */
export async function sideBySide({ programs, stays, stopped, ...place }: SideBySide): Promise<void> {
  const guard = startGuard()
  const kept = programs.map((program) => keepRunning(program, { ...place, guard }))
  const killAll = () => {
    for (const each of kept) each.kill()
  }
  process.on('exit', killAll)
  const over = new AbortController()
  const watching = passOn(place.folder, stays, over.signal, (paths) => {
    for (const each of kept) each.saved(paths)
  }).catch((error: unknown) =>
    place.screen.say(`Nothing starts anew at a save: ${error instanceof Error ? error.message : error}`),
  )
  try {
    await stopped
    await Promise.all(kept.map((each) => each.end()))
  } finally {
    over.abort()
    process.off('exit', killAll)
    guard.end()
  }
  await watching
}

async function passOn(
  folder: string,
  stays: readonly string[],
  ended: AbortSignal,
  then: (paths: readonly string[]) => void,
): Promise<void> {
  for await (const { paths } of await savedFiles(folder, stays, ended)) {
    const python = paths.filter((path) => path.endsWith('.py'))
    if (python.length > 0) then(python)
  }
}

/** Resolves at Ctrl-C, TERM, or when the terminal goes; a second Ctrl-C ends kraft at once. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const end = () => resolve()
    process.on('SIGINT', ctrlC(end)).on('SIGTERM', end).on('SIGHUP', end)
    process.stdout.on('error', end)
  })
}
