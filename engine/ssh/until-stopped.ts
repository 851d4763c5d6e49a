import { ctrlC } from './ctrl-c.js'

/** Resolves at Ctrl-C, or where whoever started kraft ends it or its terminal. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const end = () => resolve()
    process.on('SIGINT', ctrlC(end)).on('SIGTERM', end).on('SIGHUP', end)
  })
}
