import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'

/** uv on a node, for all its instances. One that the admin has put on the PATH goes first. */
export const uvProgram = '/usr/local/lib/kraftwerk/uv'

/** Where programs are found by whoever builds virtualenvs. */
export const builderPath = '/usr/local/bin:/usr/bin:/bin'

const refused = '/var/lib/kraftwerk/no-uv'

/**
 * uv, which builds virtualenvs many times faster than pip. It comes from the index that the node's pip is set to, as a wheel, so that
 * nothing of it runs as root. Where it can't be had pip has to do, and it is asked for again a day later.
 */
export function uv(): readonly Step[] {
  return [
    {
      title: 'uv',
      check: sh`
        PATH=${builderPath} command -v uv >/dev/null && exit 0
        test -x ${uvProgram} && exit 0
        if [ -n "$(find ${refused} -mmin -1440 2>/dev/null)" ]; then echo 'this node cannot have uv; pip has to do'; exit 75; fi
        exit 1
      `,
      apply: sh`
        room=$(mktemp -d /tmp/kraft-uv.XXXXXXXX)
        trap 'rm -rf "$room"' EXIT
        chown nobody "$room"
        cd "$room"
        if setpriv --reuid nobody --regid nogroup --clear-groups env -i PATH=${builderPath} LANG=C.UTF-8 HOME="$room" \
          PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off sh -euc '
            python3 -m venv venv
            venv/bin/python -m pip install --quiet --only-binary :all: uv
            venv/bin/uv --version
          '; then
          install -D -o root -g root -m 0755 venv/bin/uv ${uvProgram}
          rm -f ${refused}
        else
          echo 'This node cannot have uv; pip has to do'
          mkdir -p ${refused.slice(0, refused.lastIndexOf('/'))}
          : >${refused}
        fi
      `,
    },
  ]
}
