import { locksFolder } from '../engine/node/node-lock.js'
import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { noRoomLeft, roomLeft } from './room.js'

/** Work on a node that goes on beside other work, in the time of several scripts. */
export interface Job {
  /** Of the step that waits for it and says how it ended. */
  readonly title: string
  /** Runs as root under `sh -e`, with a step's umask, and finds each of its files at `${KRAFT_JOB}NAME`. */
  readonly run: Sh
  readonly files: Readonly<Record<string, string>>
}

/** Steps that begin jobs, and those that wait for them: other steps may come between. */
export interface Jobs {
  readonly begin: readonly Step[]
  readonly wait: readonly Step[]
}

const heldFile = ({ name }: Place) => `${locksFolder}/${name}.held`

const folder = (place: Place) => `${layout.dumps(place)}/jobs`

// Each job holds a lock of its own until it has ended, so that whoever waits for it wakes at once; all of them hold one that says that
// some still run. They are one process group, and the one that leads it outlives them. They end before the disk is full: what they make
// of a bundle is known only then; and once nobody has the instance's lock any more, which they only look at: whoever had it for longer would
// be taken for somebody who changes the instance.
const lead = (place: Place, count: number) => sh`
  cd ${folder(place)}
  trap : TERM
  exec 7>lock 8>&-
  flock 7
  echo $$ >group
  for each in ${Array.from({ length: count }, (_, index) => index)}; do
    exec 6>"$each.lock"
    flock 6
    (
      trap : TERM
      KRAFT_JOB=${folder(place)}/job$each
      export KRAFT_JOB
      code=0
      (cd /; umask 022; exec sh -e "$KRAFT_JOB") >"$each.said" 2>&1 6>&- 7>&- || code=$?
      echo "$code" >"$each.code"
    ) >/dev/null 2>&1 &
    exec 6>&-
  done
  # Whoever waits for the beginning waits for the end of this.
  exec >/dev/null 2>&1
  while [ "$(ls | grep -c '\.code$')" -lt ${count} ]; do
    sleep 0.2 || :
    if [ "$1" = held ] && flock -n ${heldFile(place)} true; then kill -TERM 0; fi
    full=$(${roomLeft(place)}) || :
    if [ -z "$full" ]; then continue; fi
    echo "$full" >full
    kill -TERM 0
  done
`

/** Shell that ends the jobs that still run, and leaves nothing of them. */
export const endJobs = (place: Place): Sh => sh`
  if [ -e ${`${folder(place)}/lock`} ]; then
    # A group that is not locked may be another's by now.
    if ! flock -n ${`${folder(place)}/lock`} true; then kill -TERM -- -"$(cat ${`${folder(place)}/group`})" 2>/dev/null || :; fi
    flock ${`${folder(place)}/lock`} true
  fi
  rm -rf ${folder(place)}
`

/**
 * Work on an instance's node that is done side by side, for whoever holds the instance's lock: no job outlives that. Of several that
 * fail the first one is told, and the others end with it.
 */
export function jobs(place: Place, title: string, all: readonly Job[]): Jobs {
  const files = all.flatMap(({ run, files: own }, index) => [
    [`job${index}`, `${run.text}\n`] as const,
    ...Object.entries(own).map(([name, content]) => [`job${index}${name}`, content] as const),
  ])
  const begin: Step = {
    title,
    quiet: true,
    files: { ...Object.fromEntries(files), lead: `${lead(place, all.length).text}\n` },
    apply: lines(
      endJobs(place),
      sh`
      umask 077
      # The step's own is gone when its script ends.
      cp -R "$KRAFT_STEP" ${folder(place)}
      # Outside of kraft nobody has it.
      held=held
      if flock -n ${heldFile(place)} true 2>/dev/null; then held=; fi
      said=$(setsid sh -e ${`${folder(place)}/lead`} "$held" </dev/null 2>&1 &)
      if [ -n "$said" ]; then printf '%s\n' "$said"; exit 1; fi
    `,
    ),
  }
  return { begin: [begin], wait: all.map((job, index) => ({ title: job.title, quiet: true, apply: ended(place, index) })) }
}

const ended = (place: Place, index: number) => sh`
  cd ${folder(place)}
  flock ${`${index}.lock`} true
  cat ${`${index}.said`}
  code=$(cat ${`${index}.code`} 2>/dev/null) || code=1
  if [ "$code" = 0 ]; then exit 0; fi
  if [ -e full ]; then
    ${noRoomLeft(sh`"$(cat full)"`)}
  fi
  ${endJobs(place)}
  exit "$code"
`
