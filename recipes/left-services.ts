import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { file } from './file.js'
import { endService } from './runit.js'

/**
 * Services that have left kraftwerk.yaml: their servers end, what they keep stays, and that is said once. Comes after the services
 * that are asked for were set up. One whose server is elsewhere is called `NAME@WHERE`: moving it is leaving as well.
 *
 * @example leftServices(place, ['postgres', 'redis'])
 */
export function leftServices(place: Place, names: readonly string[]): readonly Step[] {
  const record = layout.services(place)
  const find = sh`
    left() {
      if [ ! -e ${record} ]; then return 0; fi
      while read -r name; do
        case ${` ${names.join(' ')} `} in *" $name "*) ;; *) echo "$name" ;; esac
      done <${record}
    }
  `
  return [
    {
      title: 'No services that have left kraftwerk.yaml',
      loud: true,
      check: lines(find, sh`test -z "$(left)"`),
      apply: lines(
        find,
        sh`
        for name in $(left); do
          # On the node with the role db it serves on, to this node as well.
          if [ -e ${layout.settings(place)}/"$name.clients" ]; then continue; fi
          # Also what a power cut has left of a load.
          for service in ${`${place.name}+`}"$name" ${`${place.name}+`}"$name.beside"; do
            if [ -e "/etc/sv/$service" ]; then
              ${endService(60)}
            fi
          done
          case $name in
            *@*)
              case ${` ${names.join(' ')}`} in
                *" \${name%@*}@"*) ;;
                *) rm -f ${layout.settings(place)}/"\${name%@*}.access" ;;
              esac
              printf '%s at %s is not used any more: what it keeps of %s stays there\n' "\${name%@*}" "\${name#*@}" ${place.name}
              ;;
            *) printf '%s is not asked for any more: what it keeps of %s stays on the node until kraft destroy\n' "$name" ${place.name} ;;
          esac
        done
      `,
      ),
      diff: lines(find, sh`left | sed 's/^/leave /'`),
    },
    ...file({ path: record, content: names.map((name) => `${name}\n`).join(''), mode: '0600' }),
  ]
}
