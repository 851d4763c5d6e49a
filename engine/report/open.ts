import { hasColors, isCI, movesCursor } from './abilities.js'
import { redacted } from './redacted.js'
import type { Report } from './report.js'

/** Which of the options that every task has decide how work is shown. */
export type Wishes = Readonly<Record<'events' | 'quiet' | 'verbose' | 'debug' | 'dry-run', boolean>>

/**
 * The report that the options ask for, on stderr, without secrets: events, nothing, plain lines, or a list that moves where there
 * is a terminal. All output can't be kept on a screen, so `verbose` means plain lines on a terminal too.
 */
export async function openReport(wishes: Wishes): Promise<Report> {
  return redacted(await choose(wishes))
}

async function choose(wishes: Wishes): Promise<Report> {
  const write = (text: string) => void process.stderr.write(text)
  if (wishes.events) return (await import('./events.js')).eventReport(write)
  if (wishes.quiet) return (await import('./quiet.js')).quietReport()
  // A plan is there to be read: lines of a list that moves would take its diffs away again.
  if (movesCursor(process.stderr) && !isCI() && !wishes['dry-run'] && !wishes.verbose) {
    return (await import('./terminal.js')).terminalReport()
  }
  return (await import('./plain.js')).plainReport(write, {
    everything: wishes.verbose || wishes.debug,
    color: hasColors(process.stderr),
  })
}
