import { createHash } from 'node:crypto'
import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Requirements } from '../project/requirements.js'
import { requiredNames } from '../project/requirements.js'
import type { Place } from '../project/service.js'
import { file } from './file.js'
import type { PackageIndexes } from './package-index.js'
import { builderPath, uvProgram } from './uv.js'

/** The wheels that Debian's ensurepip installs (packages python3-pip-whl and python3-setuptools-whl). */
const debianWheels = '/usr/share/python-wheels'

/** What a virtualenv is made of. */
export interface Virtualenv {
  readonly hash: string
  /** The interpreter: `python3`, or the one of the setting `python`. */
  readonly python: string
  readonly requirements: string
  /** What is installed after them, because pip takes nothing without a hash into a set that has some. */
  readonly afterwards: string
  readonly constraints: string
  /** Addresses where packages come from, without credentials. */
  readonly index: readonly string[]
}

/**
 * The virtualenv that a set of requirements needs on a node; equal sets share one. gunicorn is added where it is not required.
 *
 * @example virtualenv(readRequirements({ folder }), { codename: 'bookworm', python: undefined }).hash
 */
export function virtualenv(
  requirements: Requirements,
  given: { readonly codename: string; readonly python: string | undefined; readonly index?: readonly { readonly url: string }[] },
): Virtualenv {
  const added = requiredNames(requirements.text).has('gunicorn') ? '' : 'gunicorn\n'
  const hashed = /\s--hash[=\s]/.test(requirements.text)
  const [text, afterwards] = hashed ? [requirements.text, added] : [`${requirements.text}${added}`, '']
  const python = given.python === undefined ? 'python3' : `python${given.python.replace(/^python/, '')}`
  // Who asks for packages does not change them, so it is not in the hash.
  const index = (given.index ?? []).map(({ url }) => url)
  const hash = createHash('sha256')
    .update([`${text}${afterwards}`, requirements.hashInput, given.codename, python, ...index].join('\n--\n'))
    .digest('hex')
    .slice(0, 12)
  return { hash, python, requirements: text, afterwards, constraints: requirements.constraints, index }
}

/** What a virtualenv is made of, as a person reads it; of each release it is kept beside it. */
export function describeVirtualenv({ python, requirements, afterwards, constraints, index }: Virtualenv): string {
  const rows = constraints.split('\n').filter((row) => row !== '')
  return [
    `${python}\n`,
    ...index.map((url) => `index: ${url}\n`),
    requirements,
    afterwards,
    ...rows.map((row) => `constraint: ${row}\n`),
  ].join('')
}

/**
 * Builds the virtualenv beside the live one, as a user that is not the application's, so that the application can't change it: by uv
 * where the node has it, by pip where it has none or uv can't do it. One that was finished is reused; one that was not is built anew.
 */
export function buildVirtualenv(
  place: Place,
  release: string,
  virtualenv: Virtualenv,
  { variables, ordered }: PackageIndexes,
): readonly Step[] {
  const { hash, python, requirements, afterwards, constraints } = virtualenv
  const path = layout.venv(place, hash)
  const builder = layout.builder(place)
  return [
    ...file({
      path: `${layout.meta(place, release)}/requirements`,
      content: describeVirtualenv(virtualenv),
      group: place.name,
      mode: '0640',
    }),
    {
      title: `Virtualenv ${hash}`,
      files: { requirements, afterwards, constraints, index: variables },
      check: sh`test -e ${path}/.complete`,
      apply: sh`
        if ! command -v ${python} >/dev/null; then
          printf 'There is no %s on this node, which has %s\n' ${python} "$(python3 --version)"
          echo 'Name a version that it has in kraftwerk.yaml (python:), or leave that out'
          exit 1
        fi
        rm -rf ${path} ${`${path}.input`}
        install -d -o ${builder} -g ${place.name} -m 0750 ${path}
        # A name on tmpfs that the builder may read, because the script's own folder is root's alone.
        input=$(mktemp -d /tmp/kraft-requirements.XXXXXXXX)
        # Nothing stays of one that can't be built.
        trap ${`rm -rf "$input"; if [ ! -e ${path}/.complete ]; then rm -rf ${path}; fi`} EXIT
        install -o ${builder} -m 0400 "$KRAFT_STEP/requirements" "$input/requirements.txt"
        install -o ${builder} -m 0400 "$KRAFT_STEP/afterwards" "$input/afterwards.txt"
        install -o ${builder} -m 0400 "$KRAFT_STEP/constraints" "$input/constraints.txt"
        install -o ${builder} -m 0400 "$KRAFT_STEP/index" "$input/index"
        chown ${builder} "$input"
        cd ${layout.release(place, release)}
        setpriv --reuid ${builder} --regid ${place.name} --clear-groups env -i PATH=${builderPath} LANG=C.UTF-8 \
          HOME=${layout.builderHome(place)} PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off \
          UV_NATIVE_TLS=1 UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 sh -euc '
            umask 027
            venv=$1 input=$2 python=$3 uv=$4 ordered=$5
            . "$input/index"
            uv=$(command -v uv || echo "$uv")
            "$python" -m venv --without-pip "$venv"
            # What ensurepip would put there, from the same files, which takes it seconds.
            seed=pip
            if "$venv/bin/python" -c "import sys; sys.exit(sys.version_info >= (3, 12))"; then seed="pip setuptools"; fi
            if [ ! -x "$uv" ] || ! UV_COMPILE_BYTECODE=0 "$uv" pip install --quiet --no-index --find-links ${debianWheels} \
              --python "$venv/bin/python" $seed >"$input/said" 2>&1; then
              "$venv/bin/python" -m ensurepip --upgrade --default-pip >/dev/null
            fi
            by_uv() { "$uv" pip install --quiet --python "$venv/bin/python" "$@"; }
            by_pip() { "$venv/bin/python" -m pip install --quiet "$@"; }
            for each in requirements afterwards; do
              if [ ! -s "$input/$each.txt" ]; then continue; fi
              set -- -r "$input/$each.txt" -c "$input/constraints.txt"
              if [ ! -x "$uv" ]; then by_pip "$@"
              elif [ "$ordered" = yes ]; then by_uv "$@"
              # What uv does not know of pip (options in a file, say), pip knows.
              elif ! by_uv "$@" >"$input/said" 2>&1; then by_pip "$@"
              fi
            done
            touch "$venv/.complete"
          ' sh ${path} "$input" ${python} ${uvProgram} ${ordered ? 'yes' : 'no'}
      `,
    },
  ]
}
