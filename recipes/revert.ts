import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'

const room = '/var/lib/kraftwerk/revert'
const lock = '/var/lib/kraftwerk/revert.lock'

/** What {@link guarded} is given: a step that could lock its user out, and what puts the former state back. */
export interface GuardedOptions {
  /** Names the revert on the node: `kraft-revert-NAME.timer`. */
  readonly name: string
  readonly title: string
  readonly check: Sh
  readonly diff: Sh
  readonly apply: Sh
  readonly files?: Readonly<Record<string, string>>
  /** Files that are saved before and put back by the revert; those that were not there are removed. */
  readonly paths: readonly string[]
  /** Saves more of the former state, to files in `$saved`. */
  readonly save?: Sh
  /** Runs after the files are back: makes them count again, with what is in `$saved`. Goes on after an error. */
  readonly restore: Sh
  /** Seconds until the revert fires; 60 if left out. */
  readonly seconds?: number
}

/**
 * A step that undoes itself on the node unless {@link confirmSteps} run within so many seconds, which they do only over a new
 * login. The former state is saved and the revert armed before anything changes; it holds over a reboot, which is what
 * somebody who locked himself out does first. When the change itself fails, the former state comes back at once.
 */
export function guarded(options: GuardedOptions): readonly Step[] {
  const { name, title, check, diff, files } = options
  const folder = `${room}/${name}`
  return [
    {
      title: `${title}: no revert of an earlier run`,
      quiet: true,
      check: sh`test ! -e ${`${folder}.fired`}`,
      apply: lines(locked, sh`rm -rf ${`${folder}.fired`}`),
    },
    {
      title,
      check,
      diff,
      files: { ...files, restore: restoreScript(options), timer: timer(options.seconds ?? 60), service: service(folder) },
      apply: lines(
        sh`
          umask 022
          mkdir -p ${room}
          chmod 0700 ${room}
        `,
        locked,
        sh`
          systemctl stop ${timerName(name)} 2>/dev/null || :
          # One that is armed already knows the last state that somebody could log in to: that stays the one to go back to.
          if [ ! -d ${folder} ]; then
            saved=${`${folder}.new/saved`}
            rm -rf ${`${folder}.new`} ${`${folder}.fired`}
            mkdir -p "$saved"
            for path in ${options.paths}; do
              if [ -e "$path" ] || [ -L "$path" ]; then mkdir -p "$saved$(dirname "$path")"; cp -a "$path" "$saved$path"; fi
            done
        `,
        options.save,
        sh`
            cp "$KRAFT_STEP/restore" ${`${folder}.new/restore`}
            sync
            mv -T ${`${folder}.new`} ${folder}
          fi
          cp "$KRAFT_STEP/timer" ${`/etc/systemd/system/${timerName(name)}`}
          cp "$KRAFT_STEP/service" ${`/etc/systemd/system/${serviceName(name)}`}
          systemctl daemon-reload
          systemctl enable --quiet --now ${timerName(name)}
          undo() {
            code=$?
            if [ "$code" != 0 ]; then echo 'it failed: the former state comes back'; exec 8>&-; sh ${`${folder}/restore`}; rm -rf ${`${folder}.fired`}; fi
            exit "$code"
          }
          trap undo EXIT
        `,
        options.apply,
      ),
    },
  ]
}

/**
 * Cancels the reverts that {@link guarded} steps armed. To be run over a login that was opened after them: that it can be run
 * is the proof. Fails if one has fired already, because then the node is not as the steps before said.
 */
export function confirmSteps(): readonly Step[] {
  return [
    {
      title: 'A new login works: the changes stay',
      quiet: true,
      check: sh`test -z "$(ls -A ${room} 2>/dev/null)"`,
      apply: lines(
        locked,
        sh`
          fired=
          for folder in ${room}/*; do
            name=$(basename "$folder")
            case "$folder" in
              *.fired) fired="$fired $(basename "$folder" .fired)"; rm -rf "$folder"; continue ;;
              *.new) rm -rf "$folder"; continue ;;
            esac
            systemctl disable --quiet --now "kraft-revert-$name.timer" || :
            rm -f "/etc/systemd/system/kraft-revert-$name.timer" "/etc/systemd/system/kraft-revert-$name.service"
            rm -rf "$folder"
          done
          systemctl daemon-reload
          if [ -n "$fired" ]; then
            printf 'No new login came in time, so the node has put back its former state of:%s\n' "$fired"
            exit 1
          fi
        `,
      ),
    },
  ]
}

// Arming, confirming and reverting exclude each other: none of them ever sees half of another.
const locked = sh`
  exec 8>>${lock}
  flock 8`

const timerName = (name: string): string => `kraft-revert-${name}.timer`
const serviceName = (name: string): string => `kraft-revert-${name}.service`

function timer(seconds: number): string {
  return `[Unit]
Description=Puts back what kraft changed, unless a new login confirms it

[Timer]
OnActiveSec=${seconds}
AccuracySec=1s

[Install]
WantedBy=timers.target
`
}

function service(folder: string): string {
  return `[Unit]
Description=Puts back what kraft changed, because no new login confirmed it

[Service]
Type=oneshot
ExecStart=/bin/sh ${folder}/restore
`
}

function restoreScript({ name, paths, restore }: GuardedOptions): string {
  const folder = `${room}/${name}`
  return lines(
    sh`
      #!/bin/sh
      # Puts back the state before a change of kraft's that nobody confirmed.`,
    locked,
    sh`
      if [ ! -d ${folder} ]; then exit 0; fi
      saved=${`${folder}.fired/saved`}
      rm -rf ${`${folder}.fired`}
      mv -T ${folder} ${`${folder}.fired`}
      for path in ${paths}; do
        if [ -e "$saved$path" ] || [ -L "$saved$path" ]
        then cp -a "$saved$path" "$path.kraft-new" && mv -fT "$path.kraft-new" "$path"
        else rm -f "$path"
        fi
      done
    `,
    restore,
    sh`
      systemctl disable --quiet --now ${timerName(name)}
      rm -f ${`/etc/systemd/system/${timerName(name)}`} ${`/etc/systemd/system/${serviceName(name)}`}
      systemctl daemon-reload
    `,
  ).text.concat('\n')
}
