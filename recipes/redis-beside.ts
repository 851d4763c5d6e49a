import { locksFolder } from '../engine/node/node-lock.js'
import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { asInstance } from './as-instance.js'
import { type OwnServer, serverRun, startServer, stopServer, untilAnswer } from './own-server.js'
import { endService, takeOver } from './runit.js'

const service = 'redis'
const live = (place: Place) => layout.server(place, service)
const other = (place: Place) => `${live(place)}.beside`
const sockets = (place: Place) => `${layout.sockets(place)}/${service}`
const link = (place: Place) => layout.serverSocket(place, service)
const otherLink = (place: Place) => `${sockets(place)}/beside.sock`
const started = (place: Place) => layout.serverStarted(place, service)
const otherStarted = (place: Place) => `${layout.sockets(place)}/${service}.beside.started`

/** On tmpfs: the folder that the server beside is to have, and then what was noted of it. Without it none starts. */
const wanted = (place: Place) => `${layout.sockets(place)}/${service}.beside`

/**
 * How an instance's redis is started so that another one can take its place while both run: each has a socket of its own, which a link
 * leads to, and the folder of its runit service says which of the two it is. These two folders change their names in one moment.
 */
export function exchangeable(place: Place, data: string, config: string): Pick<OwnServer, 'service' | 'before' | 'command'> {
  const before = sh`
    # A load starts a second one, whose service's folder is called so, and it may then take the place of this one.
    link=${link(place)} data=${data}
    set --
    case $(pwd -P) in
      *.beside)
        # After a power cut nobody waits for it.
        if [ ! -e ${wanted(place)} ]; then
          rm -f ${`/etc/service/${other(place)}`}
          printf d >supervise/control
          exec sleep 5
        fi
        read -r data <${wanted(place)}
        link=${otherLink(place)} started=${otherStarted(place)}
        # It evicts nothing before it is live.
        set -- --maxmemory 0
        ;;
    esac
  `
  const start = sh`
    if [ -L "$0" ]; then rm -f "\${0%/*}/$(readlink "$0")"; fi
    ln -sfnT redis.$$.sock "$0.new" && mv -fT "$0.new" "$0"
    exec redis-server "$@" --unixsocket "\${0%/*}/redis.$$.sock"
  `
  return { service, before: before.text, command: sh`sh -c ${start.text} "$link" ${config} --dir "$data" "$@"`.text }
}

/** Shell that ends the server beside, where there is one. */
export const endBeside = (place: Place): Sh => sh`
  service=${other(place)}
  if [ -e "/etc/sv/$service" ] || [ -L "/etc/service/$service" ]; then
    ${endService(60)}
  fi
  rm -f ${wanted(place)} ${otherStarted(place)}
  ${asInstance(place, 'rm', '-f', otherLink(place))}
`

/** Asks the server beside. */
export const askBeside = (place: Place) => asInstance(place, 'redis-cli', '-s', otherLink(place))

/**
 * Shell that starts a server beside the live one, on a folder that has an append-only file, as the live one is started, and waits until it
 * has read all of it. It goes on until {@link endBeside}, or until nobody has the instance's lock any more: a kraft that was killed leaves
 * none.
 */
export function startBeside(place: Place, server: OwnServer, folder: string): Sh {
  const run = serverRun(place, server)
  if (server.before === undefined || !run.includes(server.before)) {
    return sh`
      echo 'Your template services/run.sh has no "before", and without it a second redis would start on the data of the first. Add it: <%= before %>'
      exit 1
    `
  }
  const end = sh`exec flock ${`${locksFolder}/${place.name}.held`} sh -c ${endBeside(place).text}`
  return sh`
    ${endBeside(place)}
    mkdir -p ${`/etc/sv/${other(place)}`}
    printf %s ${run} >${`/etc/sv/${other(place)}/run`}
    chmod 0755 ${`/etc/sv/${other(place)}/run`}
    printf '%s\n' ${folder} >${wanted(place)}
    setsid sh -c ${end.text} </dev/null >/dev/null 2>&1 &
    ln -sfnT ${`/etc/sv/${other(place)}`} ${`/etc/service/${other(place)}`}
    (
      ${takeOver(other(place))}
    )
    ${untilAnswer(place, { service, name: other(place), answers: sh`[ "$(${askBeside(place)} ping 2>&1)" = PONG ]` })}
  `
}

/** Notes what stdin says of the server beside, until it ends. {@link notedOfBeside} prints it. */
export const noteOfBeside = (place: Place): Sh => sh`cat >>${wanted(place)}`
export const notedOfBeside = (place: Place): Sh => sh`sed 1d ${wanted(place)}`

// Both names at once, so that runit never finds one of the two gone: 2 is RENAME_EXCHANGE.
const exchange = sh`
  import ctypes, os, sys
  libc = ctypes.CDLL(None, use_errno=True)
  if libc.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2):
      sys.exit(os.strerror(ctypes.get_errno()))
`

/**
 * Shell after which the live server is one that has the folder `data`, whichever was moved there. Where the one beside has it, those two
 * change places: it takes what is written from now on, and whoever is connected to the other one is sent away. Where the live one has it,
 * nothing is done, and else it is started anew, which takes until it has read all.
 */
export const serveFrom = (place: Place, { data, limits, answers }: { data: string; limits: string; answers: Sh }): Sh =>
  lines(
    sh`
    pid() { cat /etc/sv/"$1"/supervise/pid 2>/dev/null || :; }
    has() { [ -n "$1" ] && [ /proc/"$1"/cwd -ef ${data} ]; }
    # The socket that a process has for itself.
    at() {
      socket=${sockets(place)}/redis.$1.sock
      shift
      ${asInstance(place, 'redis-cli')} -s "$socket" "$@"
    }
    serve() {
      at "$1" client unpause >/dev/null 2>&1 || :
      at "$1" config set maxmemory "$(sed -n 's/^maxmemory //p' ${limits})" 2>/dev/null | grep -qx OK
    }
    lead() {
      ${asInstance(place, 'ln', '-sfnT')} redis."$1".sock ${`${link(place)}.new`} &&
        ${asInstance(place, 'mv', '-fT', `${link(place)}.new`, link(place))}
    }
    change_places() {
      if [ "$(at "$2" ping 2>&1)" != PONG ]; then return 1; fi
      # Who writes waits from here until it is sent to the other one.
      at "$1" client pause 60000 write >/dev/null 2>&1 || :
      if ! serve "$2" || ! /usr/bin/python3 -Ic ${exchange.text} ${`/etc/sv/${live(place)}`} ${`/etc/sv/${other(place)}`}; then
        at "$1" client unpause >/dev/null 2>&1 || :
        return 1
      fi
      lead "$2" || return 1
      for kind in normal pubsub; do at "$1" client kill type "$kind" >/dev/null 2>&1 || :; done
      ${asInstance(place, 'ln', '-sfnT')} redis."$1".sock ${otherLink(place)}
      mv -f ${started(place)} ${`${started(place)}.former`}
      mv -f ${otherStarted(place)} ${started(place)}
      mv -f ${`${started(place)}.former`} ${otherStarted(place)}
    }
    now=$(pid ${live(place)}) beside=$(pid ${other(place)})
  `,
    sh`
    if has "$now"; then
      # What was cut off may have left it waiting.
      if serve "$now"; then lead "$now"; fi
    # One that an older kraft has started has no link to its socket.
    elif ! has "$beside" || [ ! -L ${link(place)} ] || ! change_places "$now" "$beside"; then
      if has "$beside"; then
        ${endBeside(place)}
      fi
      ${stopServer(place, service)}
      ${startServer(place, service, answers)}
    fi
  `,
  )

/** No server is left beside. */
export const noBeside = (place: Place): Step => ({
  title: `No second redis of ${place.name}`,
  quiet: true,
  check: sh`test ! -e ${`/etc/sv/${other(place)}`} && test ! -L ${`/etc/service/${other(place)}`}`,
  apply: endBeside(place),
})
