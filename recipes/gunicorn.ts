import type { Secret } from '../engine/shell/secret.js'
import { lines, Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import { layout } from '../project/layout.js'
import type { Health } from '../project/settings.js'
import { file } from './file.js'
import { servedMark } from './leftovers.js'
import { type Release, renameLink } from './release.js'
import { endService, takeOver } from './runit.js'
import { noteEnd, trialFolder } from './trial.js'

/** How gunicorn serves a release. */
export interface WebProcess {
  readonly wsgi: string
  readonly workers: number
  readonly threads: number | undefined
  /** Seconds that a request may take. */
  readonly timeout: number
  /** Seconds that the old processes get to finish what they have begun. */
  readonly drain: number
}

/** Starts a generation beside the one that serves, on a socket of its own. */
export function startBeside(release: Release, web: WebProcess): readonly Step[] {
  const { place, generation, id } = release
  const name = layout.runit(place, generation)
  const trial = layout.trial(place, generation)
  const log = `${layout.log(place)}/web`
  const vars = { place, layout, release: id, generation, ...web }
  const script = (path: string, content: string | Secret) => file({ path: `/etc/sv/${name}/${path}`, content, mode: '0755' })
  return [
    {
      title: 'Room for one more generation',
      quiet: true,
      apply: sh`
        ${trialFolder}
        install -d -m 0700 ${`/etc/sv/${name}`} ${`/etc/sv/${name}/log`}
        ${noteEnd(log, `${trial}.log`)}
        : >${trial}
      `,
    },
    ...script('run', render('instance/web.run.sh', vars)),
    ...script('finish', render('instance/web.finish.sh', vars)),
    ...script('log/run', render('instance/log.run.sh', { place, layout, process: 'web', log })),
    {
      title: `Start ${web.workers} workers beside the old ones`,
      check: sh`test -e ${`/etc/service/${name}`}`,
      // A second supervisor of the same service would only find its lock taken: starting it is runsvdir's alone.
      apply: lines(
        sh`
        if [ ! -e ${log} ]; then
          umask 027
          touch ${log}
          chgrp ${place.name} ${log}
        fi
        ln -sT ${`/etc/sv/${name}`} ${`/etc/service/${name}`}
      `,
        takeOver(name),
      ),
    },
  ]
}

/** How visitors come to a site. */
export interface Visited {
  readonly name: string
  readonly scheme: 'http' | 'https'
}

/** Asks the new generation through its own socket, with the headers that nginx sends, until it answers well or has failed. */
export function healthy(release: Release, health: Health, host: Visited): readonly Step[] {
  return [{ title: `It answers ${health.path}`, apply: asking(release, health, host) }]
}

/** Asks once more after the switch, while the old processes still run, and takes the new ones off trial. */
export function stillHealthy(release: Release, health: Health, host: Visited): readonly Step[] {
  const trial = layout.trial(release.place, release.generation)
  return [
    {
      title: `It still answers ${health.path}`,
      quiet: true,
      apply: sh`
        (
          ${asking(release, { ...health, tries: Math.min(health.tries, 3) }, host)}
        )
        rm -f ${trial} ${`${trial}.log`}
      `,
    },
  ]
}

function asking(release: Release, health: Health, host: Visited): Sh {
  const { place, generation } = release
  const socket = layout.socket(place, generation)
  const trial = layout.trial(place, generation)
  const good = health.status.length === 0 ? '2??|3??|401|403|404' : health.status.join('|')
  return sh`
    code=000 try=0
    while [ "$try" -lt ${health.tries} ]; do
      try=$((try + 1)) wait=0
      # The socket is there before gunicorn is: who asks then waits for it, and need not ask again.
      until [ -S ${socket} ] || [ -e ${`${trial}.ended`} ] || [ "$wait" = 250 ]; do
        sleep 0.02
        wait=$((wait + 1))
      done
      if [ -e ${`${trial}.ended`} ]; then break; fi
      # No file that it writes here grows beyond 10 MB, whatever the application sends; curl goes on to say the code all the same.
      code=$(trap '' XFSZ; ulimit -f 20480; curl --silent --show-error --max-time ${health.timeout} --unix-socket ${socket} -o "$KRAFT_STEP/answer" -w '%{http_code}' \
        -H ${`Host: ${host.name}`} -H 'X-Real-IP: 127.0.0.1' -H 'X-Forwarded-For: 127.0.0.1' -H ${`X-Forwarded-Proto: ${host.scheme}`} \
        ${`http://localhost${health.path}`} 2>"$KRAFT_STEP/error") || :
      case $code in
        ${new Sh(good)})
          # What answered may be a worker whose master is dead already, and it ends as well.
          if read -r pid <${`/etc/service/${layout.runit(place, generation)}/supervise/pid`} && read -r stat <"/proc/$pid/stat"; then
            case "\${stat##*) }" in [ZX]*) ;; *) exit 0 ;; esac
          fi 2>/dev/null
          sleep 0.5
          ;;
        000|5??) sleep 0.5 ;;
        *) break ;;
      esac
    done
    if [ -e ${`${trial}.ended`} ]; then
      read -r how <${`${trial}.ended`} || how=
      case $how in
        SIGKILL) echo 'The application was ended by SIGKILL, as the kernel does where memory runs out (journalctl -k on the node says so).' ;;
        SIG*) printf 'The application was ended by %s.\n' "$how" ;;
        *) echo 'The application does not start.' ;;
      esac
    elif [ "$code" = 000 ]; then
      printf 'The application does not answer: %s\n' "$(cat "$KRAFT_STEP/error" 2>/dev/null)"
    else
      printf 'The application answers %s with code %s (Host: %s)\n' ${health.path} "$code" ${host.name}
      head -c 400 "$KRAFT_STEP/answer" 2>/dev/null | tr -s ' \t\n' ' ' || :
      echo
    fi
    # Whatever it has said is in the log before that of its end is.
    said() { tail -c "+$(($(cat ${`${trial}.log`}) + 1))" ${`${layout.log(place)}/web`} 2>/dev/null | sed -E 's/^[0-9-]{10}T[0-9:.]{12}Z //'; }
    if [ -e ${`${trial}.ended`} ]; then
      for wait in $(seq 50); do
        if said | grep -q '^kraft: it ended with '; then break; fi
        sleep 0.1
      done
    fi
    # All of it is to fit in what an error shows, and gunicorn's own end says nothing of why.
    log=$(said | grep -v -e '\[INFO\]' -e '^kraft: it ended with ' \
      | sed '/\[ERROR\] Worker (pid:[0-9]*) exited with code/,$d' | tail -n 16)
    if [ -n "$log" ]; then printf 'Its log:\n%s\n' "$log"; fi
    exit 1
  `
}

/** What a switch renames: the link to the release, or in the current release the link to its generation. */
export type Switched = 'current' | 'live'

/**
 * The switch: one atomic rename, through which nginx reaches code, static files and the socket. `lock` is the number of the
 * deploy's lock: a deploy that lost it (a laptop that slept) switches nothing.
 */
export function switchTo(
  release: Release,
  what: Switched,
  lock: { readonly file: string; readonly number: string },
): readonly Step[] {
  const { place, id, generation } = release
  const rename =
    what === 'current'
      ? renameLink(`releases/${id}`, layout.current(place))
      : renameLink(generation, `${layout.meta(place, id)}/live`)
  return [
    {
      title: what === 'current' ? `Switch to ${id}` : `Switch to generation ${generation}`,
      apply: sh`
        if [ "$(cat ${lock.file})" != ${lock.number} ]; then
          echo 'Another deploy has taken over in the meantime; nothing was switched'
          exit 1
        fi
        if [ -e ${`${layout.trial(place, generation)}.ended`} ]; then
          echo 'The new processes have ended since they were asked; nothing was switched'
          exit 1
        fi
        : >${servedMark(place, id)}
        old=$(readlink -f ${`${layout.current(place)}/.kraft/live/web.sock`} || :)
        if [ -S "$old" ]; then ln -sfT "$old" ${layout.former(place)}; fi
        ${rename}
      `,
    },
  ]
}

/**
 * Lets every other generation finish what it has accepted, then stops it. nginx sends nothing new there since the switch, but
 * the kernel may still hold connections in the old listener's backlog, and closing it would reset them.
 */
export function drainOthers(release: Release, seconds: number): readonly Step[] {
  const { place, generation } = release
  const others = `/etc/service/${place.name}.web.`
  return [
    {
      title: 'Drain and stop the old processes',
      quiet: true,
      check: sh`! ls -d ${others}* 2>/dev/null | grep -qv ${`\\.${generation}$`}`,
      apply: sh`
        for service in ${others}*; do
          old=\${service##*.}
          if [ "$old" = ${generation} ]; then continue; fi
          socket=${layout.sockets(place)}/$old.sock
          for try in $(seq 50); do
            waiting=$(ss -Hxl src "unix:$socket" 2>/dev/null | awk '{ sum += $3 } END { print sum + 0 }')
            if [ "$waiting" = 0 ] && [ "$try" -gt 2 ]; then break; fi
            sleep 0.1
          done
          service=\${service##*/}
          ${endService(seconds + 5)}
          rm -f "$socket"
        done
        rm -f ${layout.former(place)}
        # Generations of the current release that a reload has replaced.
        for folder in ${layout.meta(place, release.id)}/[0-9]*; do
          if [ "\${folder##*/}" != ${generation} ]; then rm -rf "$folder"; fi
        done
      `,
    },
  ]
}

/** Takes back what was made and never switched to: all of a new release, or a new generation of one that was there. */
export function abandon(release: Release, made: 'release' | 'generation'): readonly Step[] {
  const { place, id, generation } = release
  const service = layout.runit(place, generation)
  const trial = layout.trial(place, generation)
  const folder = made === 'release' ? layout.release(place, id) : layout.generation(place, id, generation)
  return [
    {
      title: made === 'release' ? 'Take the new release back' : 'Take the new processes back',
      // One that had switched already stays.
      check: sh`test "$(readlink -f ${layout.current(place)}/.kraft/live 2>/dev/null)" = ${layout.generation(place, id, generation)}`,
      apply: sh`
        # On trial its finish script would take the end back.
        rm -f ${trial} ${`${trial}.log`} ${`${trial}.ended`}
        service=${service}
        ${endService(10)}
        rm -rf ${folder} ${`${place.home}/releases/.${id}`} ${layout.socket(place, generation)}
      `,
    },
  ]
}
