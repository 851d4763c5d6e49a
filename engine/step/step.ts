import type { Secret } from '../shell/secret.js'
import type { Sh } from '../shell/sh.js'

/**
 * One thing to make true on a node, as data: how to see that it is true already, and how to make it so. Built by recipes,
 * run by engine/step/apply.ts. Scripts are POSIX sh, run as root (or {@link Step.as}) as under `sh -e` with stdin from /dev/null,
 * and may use `$KRAFT_STEP/NAME` for the files in {@link Step.files}.
 *
 * @example const web: Step = { title: 'Directory /web', check: sh`test -d /web`, apply: sh`install -d -o web -g web /web` }
 */
export interface Step {
  /** What people read of it: a few words that name the thing, as `Directory /web`. */
  readonly title: string
  /** Exit code 0: it is true already and nothing is done. Left out: it is done each time, and counts as a change. */
  readonly check?: Sh
  /** Makes it true; the first command in it that fails ends the run. Safe to run again where a power cut ended it halfway. */
  readonly apply: Sh
  /** Prints what would change, as a unified diff or one line; its exit code does not matter. For `--dry-run`. */
  readonly diff?: Sh
  /** Contents that travel with the script: a name of letters to its bytes. A {@link Secret} travels apart and is never printed. */
  readonly files?: Readonly<Record<string, string | Secret>>
  /**
   * The user that check, diff and apply run as, with the home and groups of that user; root if left out. The step's files are
   * readable for that user alone. Where there is no such user yet, a dry run says "maybe".
   */
  readonly as?: string
  /** Names of handlers to run once, after all steps of the phase, if this step changed something. */
  readonly notify?: readonly Handler[]
  /** True: does not count as a change when applied (waiting for something, say). */
  readonly quiet?: boolean
  /** True: people read its output also where all went well (a release command). */
  readonly loud?: boolean
}

/** What runs once at the end of a phase, if a step that notifies it changed something (reload nginx). */
export interface Handler {
  /** By which it is told from others: steps that notify handlers of one name run it once. */
  readonly name: string
  /** What it does, as root. */
  readonly apply: Sh
}

/** A recipe returns steps; whatever it is given decides which. */
export type Recipe<Arguments extends readonly unknown[] = readonly unknown[]> = (...given: Arguments) => readonly Step[]

/** How a step ended. `maybe`: only in a dry run, where it hangs on an earlier step. `changes`: in a dry run, it would change. */
export type StepStatus = 'ok' | 'changed' | 'failed' | 'skipped' | 'changes' | 'maybe'
