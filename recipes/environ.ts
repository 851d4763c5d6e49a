import { type Secret, secret } from '../engine/shell/secret.js'
import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { readAssignments, type Variables, writeAssignments } from '../project/assignments.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { file } from './file.js'
import { environmentFile, type Release } from './release.js'
import { sayStopped } from './stopped.js'

/** A change of the variables that are kept on a node. */
export interface EnvironChange {
  readonly set: Variables
  readonly unset: readonly string[]
  /** Who asked for it. */
  readonly by: string
  readonly at: Date
}

/** What the history tells of a change. */
export interface EnvironEntry {
  readonly at: string
  readonly by: string
  readonly set: readonly string[]
  readonly unset: readonly string[]
}

/** What a node says of the variables that are kept there. */
export interface KeptEnviron {
  /** Who owns the instance's name there; undefined where nobody does yet. */
  readonly owner: string | undefined
  /** The release that it serves; undefined before the first deploy. */
  readonly release: string | undefined
  /** Nothing of it runs: `kraft stop` has ended it. */
  readonly stopped: boolean
  readonly variables: Variables
  /** What the processes run with that serve now. */
  readonly used: Variables
  readonly history: readonly EnvironEntry[]
}

// Prints the assignments of a file, but for those of the names in `without`, and fails where anything else is in it: what root's
// shell reads later is data.
const others = String.raw`
function bad() { print "line " NR " of " FILENAME " is not NAME=" q "value" q > "/dev/stderr"; failed = 1; exit 1 }
function ends(text,   at) {
  while ((at = index(text, q)) > 0) {
    text = substr(text, at + 1)
    if (text == "") return 1
    if (substr(text, 1, 3) != "\\" q q) bad()
    text = substr(text, 4)
  }
  return 0
}
BEGIN { q = sprintf("%c", 39) }
{
  if (!open) {
    at = index($0, "=" q)
    name = substr($0, 1, at - 1)
    if (at < 2 || name !~ /^[A-Za-z_][A-Za-z0-9_]*$/) bad()
    kept = index(without, " " name " ") == 0
    open = !ends(substr($0, at + 2))
  } else open = !ends($0)
  if (kept) print
}
END { if (open && !failed) bad() }
`

/** The generation that serves, in the shell variable `live`; empty before the first deploy. */
const findLive = (place: Place) => sh`
  live=$(readlink -f ${`${layout.current(place)}/.kraft/live`} 2>/dev/null || :)
`

// The switch decides: what a generation brought that serves is what counts, also where kraft ended before it was written down.
function settle(place: Place): Sh {
  return lines(
    findLive(place),
    sh`
      if [ -n "$live" ] && [ -e "$live/env.change" ]; then
        umask 077
        cp "$live/env.kept" ${`${layout.environ(place)}.new`}
        mv -f ${`${layout.environ(place)}.new`} ${layout.environ(place)}
        cat "$live/env.change" >>${layout.environHistory(place)}
        rm -f "$live/env.change"
      fi
    `,
  )
}

/** Writes what is kept, with a change, to a file that only root can read. */
function merged(place: Place, to: string, change: EnvironChange | undefined): Sh {
  const names = change === undefined ? [] : [...change.set.keys(), ...change.unset]
  return sh`
    umask 077
    {
      if [ -e ${layout.environ(place)} ]; then LC_ALL=C awk -v without=${` ${names.join(' ')} `} ${others} ${layout.environ(place)}; fi
      if [ -e "$KRAFT_STEP/assignments" ]; then base64 -d "$KRAFT_STEP/assignments"; fi
    } >${to}
  `
}

function filesOf(change: EnvironChange) {
  const entry: EnvironEntry = {
    at: change.at.toISOString(),
    by: change.by,
    set: [...change.set.keys()],
    unset: change.unset,
  }
  // Bytes of any kind travel as base64.
  return {
    assignments: secret(writeAssignments(change.set).toString('base64'), 'environ'),
    entry: `${JSON.stringify(entry)}\n`,
  }
}

/** `Set A, B; unset C`: names, and no values. */
export function titleOf({ set, unset }: Pick<EnvironChange, 'set' | 'unset'>): string {
  const parts = [set.size === 0 ? '' : `set ${[...set.keys()].join(', ')}`, unset.length === 0 ? '' : `unset ${unset.join(', ')}`]
  const text = parts.filter((part) => part !== '').join('; ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

/**
 * Gives a generation what is kept on its node, or that with a change, which {@link keepSwitched} writes down once the generation
 * serves: one that never serves has changed nothing. Only for whoever holds the instance's lock.
 */
export function generationEnviron({ place, id, generation }: Release, change?: EnvironChange): readonly Step[] {
  const folder = layout.generation(place, id, generation)
  const apply = lines(
    settle(place),
    merged(place, `${folder}/env.new`, change),
    sh`mv -f ${`${folder}/env.new`} ${`${folder}/env.kept`}`,
  )
  if (change !== undefined) {
    const written = lines(apply, sh`cat "$KRAFT_STEP/entry" >${`${folder}/env.change`}`)
    // Processes that were interrupted and are finished now stay what they were to be.
    return [{ title: titleOf(change), files: filesOf(change), check: sh`test -e ${`${folder}/env.kept`}`, apply: written }]
  }
  return [
    {
      title: 'What is set on the node',
      check: lines(
        findLive(place),
        sh`test -e ${`${folder}/env.kept`} || { test ! -e ${layout.environ(place)} && test ! -e "$live/env.change"; }`,
      ),
      apply,
    },
  ]
}

/** Variables that were typed for this one call (`KRAFT_ENVIRON`), which win over what is set on the node. */
export function typedEnviron(
  { place, id, generation }: Release,
  values: Readonly<Record<string, string | Secret>>,
): readonly Step[] {
  if (Object.keys(values).length === 0) return []
  const path = `${layout.generation(place, id, generation)}/env.call`
  return file({ path, content: environmentFile(values), mode: '0600' })
}

/** Writes down the change that the generation brought which serves now. */
export function keepSwitched(place: Place): readonly Step[] {
  return [
    {
      title: 'Keep what was set',
      check: lines(findLive(place), sh`test -z "$live" || test ! -e "$live/env.change"`),
      apply: settle(place),
    },
  ]
}

/** Writes a change beside what is kept; {@link storeEnviron} puts it in its place. Only under the instance's lock. */
export function prepareEnviron(place: Place, change: EnvironChange): readonly Step[] {
  return [
    {
      title: titleOf(change),
      files: filesOf(change),
      apply: lines(settle(place), merged(place, `${layout.environ(place)}.next`, change)),
    },
  ]
}

/** Puts a change that was prepared in its place, for the next start to find. */
export function storeEnviron(place: Place, change: EnvironChange): readonly Step[] {
  const next = `${layout.environ(place)}.next`
  const { entry } = filesOf(change)
  return [
    {
      title: 'Keep it for the next start',
      files: { entry },
      apply: sh`
        umask 077
        mv -f ${next} ${layout.environ(place)}
        cat "$KRAFT_STEP/entry" >>${layout.environHistory(place)}
      `,
    },
  ]
}

/** Removes a change that was prepared and not stored. */
export function forgetEnviron(place: Place): readonly Step[] {
  const next = `${layout.environ(place)}.next`
  return [{ title: 'Nothing was set', check: sh`test ! -e ${next}`, apply: sh`rm -f ${next}` }]
}

/** Prints what {@link readEnviron} reads, as root. */
export function describeEnviron(place: Place): Sh {
  const { environ, environHistory } = layout
  return lines(
    findLive(place),
    sh`
      say() { if [ -e "$2" ]; then printf '%s %s\n' "$1" "$(base64 -w 0 "$2")"; fi; }
      say owner ${`${layout.settings(place)}/owner`}
      say history ${environHistory(place)}
      ${sayStopped(place)}
      if [ -z "$live" ] || [ ! -d "$live" ]; then say kept ${environ(place)}; exit 0; fi
      release=\${live%/.kraft/*}
      printf 'release %s\n' "\${release##*/}"
      say used "$live/env.kept"
      if [ -e "$live/env.change" ]; then say kept "$live/env.kept"; say history "$live/env.change"; else say kept ${environ(place)}; fi
    `,
  )
}

/** What {@link describeEnviron} printed. */
export function readEnviron(place: Place, printed: string): KeptEnviron {
  const rows = printed.split('\n').map((row) => row.split(' '))
  const of = (key: string) =>
    Buffer.concat(rows.filter(([name]) => name === key).map(([, text = '']) => Buffer.from(text, 'base64')))
  const owner = of('owner').toString().trim()
  return {
    owner: owner === '' ? undefined : owner,
    release: rows.find(([name]) => name === 'release')?.[1],
    stopped: rows.some(([name]) => name === 'stopped'),
    variables: readAssignments(of('kept'), layout.environ(place)),
    used: readAssignments(of('used'), "the generation's env.kept"),
    history: of('history')
      .toString()
      .split('\n')
      .filter((row) => row !== '')
      .map((row): EnvironEntry => JSON.parse(row)),
  }
}
