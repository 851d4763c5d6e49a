import { quote, Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { directory, file } from './file.js'
import { endService } from './runit.js'

/**
 * The project's own processes (`processes:`), each a runit service that runs in the current release; they are started anew, and
 * those that have left kraftwerk.yaml are removed. To be run after the switch.
 *
 * @example processes(place, { worker: 'celery -A shop worker' }, { patience: 30 })
 */
export function processes(
  place: Place,
  commands: Readonly<Record<string, string>>,
  given: { readonly patience: number },
): readonly Step[] {
  const names = Object.keys(commands)
  // Names of processes are plain words, which a pattern of the shell takes as they are.
  const known = new Sh(names.length === 0 ? '-' : names.join('|'))
  const service = (process: string) => `${place.name}.process.${process}`
  const others = `${place.name}.process.`
  return [
    {
      title: 'No processes that have left kraftwerk.yaml',
      quiet: true,
      check: sh`
        for folder in /etc/sv/${others}*; do
          [ -e "$folder" ] || continue
          case \${folder##*.process.} in ${known}) ;; *) exit 1 ;; esac
        done
      `,
      apply: sh`
        for folder in /etc/sv/${others}*; do
          case \${folder##*.process.} in ${known}) continue ;; esac
          service=\${folder##*/}
          ${endService(given.patience)}
        done
      `,
    },
    ...Object.entries(commands).flatMap(([process, command]): readonly Step[] => {
      const folder = `/etc/sv/${service(process)}`
      const enabled = `/etc/service/${service(process)}`
      const run = render('instance/process.run.sh', { place, layout, process, command, quote })
      return [
        ...directory({ path: folder, mode: '0700' }),
        ...file({ path: `${folder}/run`, content: run, mode: '0755' }),
        {
          title: `Process ${process}`,
          apply: sh`
            umask 027
            touch ${`${layout.log(place)}/${process}`}
            chgrp ${place.name} ${`${layout.log(place)}/${process}`}
            if [ -e ${enabled} ]; then exec sv -w ${given.patience} force-restart ${enabled}; fi
            ln -sT ${folder} ${enabled}
            for try in $(seq 100); do
              if sv -w 1 status ${enabled} 2>/dev/null | grep -q '^run'; then exit 0; fi
              sleep 0.1
            done
            echo 'It does not run. Its log:'
            tail -n 20 ${`${layout.log(place)}/${process}`}
            exit 1
          `,
        },
      ]
    }),
  ]
}
