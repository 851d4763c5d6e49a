import { createHash } from 'node:crypto'
import { isSecret, reveal } from '../shell/secret.js'
import { quote, type Sh } from '../shell/sh.js'
import type { Handler, Step } from './step.js'

/** Steps as one POSIX script. It holds no secret: those are named by slot and travel apart. */
export interface Script {
  readonly title: string
  readonly steps: readonly Step[]
  readonly text: string
  /** SHA-256 of the text, in hex: what a dry run prints is what a run sends. */
  readonly hash: string
  /** What goes to `$KRAFT_DIR/path` beside the script. */
  readonly secrets: readonly { readonly path: string; readonly value: () => string }[]
}

/**
 * Compiles steps to one script. It reports through lines that start with `\x1e` and a token that only this run knows, so that
 * nothing that a step prints can pass for a report.
 *
 * @example compile('System packages', apt('nginx')).text
 */
export function compile(title: string, steps: readonly Step[]): Script {
  const handlers = new Map<string, Handler>()
  const secrets: { path: string; value: () => string }[] = []
  const body = steps.map((step, index) => {
    const { check, diff, apply, notify = [], files = {}, quiet = false } = step
    for (const handler of notify) note(handlers, handler)
    const parts = [`\n# ${index}: ${oneLine(step.title)}`, words('begin', index, quiet ? 'quiet' : 'counts', userOf(step))]
    for (const [name, content] of Object.entries(files)) {
      if (!/^[a-z]\w*$/.test(name)) throw new TypeError(`The file "${name}" of the step "${step.title}" needs a name of letters`)
      if (isSecret(content)) secrets.push({ path: `${index}/${name}`, value: () => reveal(content) })
      else parts.push(put(name, content))
    }
    if (check !== undefined) parts.push(given(words('check'), check))
    if (diff !== undefined) parts.push(given(words('diff'), diff))
    return [...parts, given(words('apply', ...notify.map(({ name }) => quote(name))), apply)].join('\n')
  })
  const head = ['#!/bin/sh', `# kraft: ${oneLine(title)}`, prelude, ...kept(handlers), ...folders(steps.length)]
  const text = `${[...head, ...body, '\nkraft_finish'].join('\n')}\n`
  return { title, steps, text, hash: createHash('sha256').update(text).digest('hex'), secrets }
}

// The name is a file's on the node, and two steps that mean the same handler must mean the same thing.
function note(handlers: Map<string, Handler>, handler: Handler): void {
  if (!/^\w[\w .:@-]*$/.test(handler.name)) throw new TypeError(`A handler cannot be called "${handler.name}"`)
  const other = handlers.get(handler.name)
  if (other !== undefined && other.apply.text !== handler.apply.text) {
    throw new TypeError(`Two handlers are called "${handler.name}" and do different things`)
  }
  handlers.set(handler.name, handler)
}

function userOf({ title, as = 'root' }: Step): string {
  if (/^[a-z_][\w.-]*$/i.test(as)) return as
  throw new TypeError(`The step "${title}" cannot run as "${as}": that is not the name of a user`)
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

function words(name: string, ...given: readonly (string | number)[]): string {
  return [`kraft_${name}`, ...given].join(' ')
}

// A script goes to what runs it as it was written; the shell starts no process for that.
function given(command: string, { text }: Sh): string {
  const end = `KRAFT_${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
  return `${command} <<'${end}'\n${text}\n${end}`
}

// Text stays readable in the printed script; what a terminal or a shell's word cannot hold goes as base64.
function put(name: string, content: string): string {
  if (!content.includes('\0') && !content.includes('\r')) return words('put', name, quote(content))
  const lines = Buffer.from(content).toString('base64').replaceAll(/.{76}/g, '$&\n')
  return `${words('unpack', name)} <<'KRAFT_BASE64'\n${lines}\nKRAFT_BASE64`
}

// Printed when a step asks for it, and not before.
function kept(handlers: ReadonlyMap<string, Handler>): readonly string[] {
  if (handlers.size === 0) return []
  const cases = [...handlers].map(([name, { apply }]) => `${quote(name)}) ${given('cat', apply)}\n;;`)
  return ['kraft_handler() {', 'case $1 in', ...cases, 'esac', '}']
}

// One process makes them all.
function folders(count: number): readonly string[] {
  if (count === 0) return []
  const paths = Array.from({ length: count }, (_, index) => `"$KRAFT_DIR/${index}"`)
  return [`mkdir -p ${paths.join(' ')}`]
}

// Starting a process costs more than most checks do: what holds is found with as few as can be, and what it would take to change it
// is written only then. A check of root's runs in a copy of this shell, which is as separate as a new one: it lacks the token, and
// whatever else the copy has is called kraft_ or KRAFT_.
// A handler that is due is kept on disk until it ran: neither a failed step nor a power cut can lose it. What changes things runs
// in bash where it is, in the ways of POSIX sh: only bash can tell which line it ended at. A step's files stay in a folder that
// only root can write, as root writes there as well; of another user's step they belong to that user.
const prelude = `set -u
cd /
umask 077
export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
kraft_token=$KRAFT_TOKEN kraft_mode=$KRAFT_MODE kraft_user=root kraft_failed= kraft_changes= kraft_held= kraft_due=/var/lib/kraftwerk/handlers
unset KRAFT_TOKEN KRAFT_MODE
export KRAFT_DIR KRAFT_STEP=
# That a step holds is said together with what comes next: each word on its own wakes all who follow, up to the terminal.
kraft_event() { printf "\\n\\036$kraft_token %s\\n" \${kraft_held:+"$kraft_held"} "$*"; kraft_held=; }
kraft_begin() {
  kraft_step=$1 kraft_kind=$2 kraft_user=$3 kraft_code=1 kraft_ended=
  KRAFT_STEP=$KRAFT_DIR/$1
  # Ctrl-C: what has begun is finished, and no more is begun.
  if [ -e "\${KRAFT_DIR%/*}/stop-$kraft_token" ]; then kraft_failed=1; fi
  if [ -n "$kraft_failed" ]; then kraft_ended=1; else kraft_event begin "$1"; fi
}
kraft_end() { kraft_ended=1; kraft_event end "$kraft_step" "$@"; }
kraft_put() { if [ -z "$kraft_ended" ]; then printf %s "$2" >"$KRAFT_STEP/$1"; fi; }
kraft_unpack() { if [ -z "$kraft_ended" ]; then base64 -d >"$KRAFT_STEP/$1"; fi; }
kraft_check() {
  if [ -n "$kraft_ended" ]; then return 0; fi
  kraft_try check >"$KRAFT_STEP.said" 2>&1; kraft_code=$?
  case $kraft_code in
    0) kraft_ended=1 kraft_held="end $kraft_step ok" ;;
    75) kraft_end skipped "$(tail -n 1 "$KRAFT_STEP.said")" ;;
  esac
}
kraft_diff() {
  if [ -z "$kraft_ended" ] && [ "$kraft_mode" = check ]; then kraft_try diff 2>&1; fi
}
# Without the lock: what a step leaves running must not keep it.
kraft_try() {
  if [ "$kraft_user" = root ]; then
    (umask 022; unset kraft_token; set +u -e --; . /dev/fd/3) 3<&0 </dev/null 9>&-
  else
    kraft_write "$1"; kraft_run "$KRAFT_STEP/kraft-$1"
  fi
}
kraft_write() {
  cat >"$KRAFT_STEP/kraft-$1"
  if [ "$kraft_user" = root ]; then return 0; fi
  chmod 711 "$KRAFT_DIR" "$KRAFT_STEP"
  # Where there is no such user yet, what runs next says so.
  chown "$kraft_user" "$KRAFT_STEP"/* 2>/dev/null || :
}
kraft_run() { (umask 022; kraft_as sh -e "$1") </dev/null 9>&-; }
kraft_as() {
  if [ "$kraft_user" = root ]; then exec "$@"; fi
  # NAME:x:UID:GID:…:HOME:SHELL
  kraft_entry=$(getent passwd "$kraft_user") || { echo "there is no user $kraft_user" >&2; exit 127; }
  kraft_group=\${kraft_entry#*:*:*:} kraft_home=\${kraft_entry%:*}
  exec env HOME="\${kraft_home##*:}" USER="$kraft_user" LOGNAME="$kraft_user" \\
    setpriv --reuid "$kraft_user" --regid "\${kraft_group%%:*}" --init-groups -- "$@"
}
kraft_change() {
  if command -v bash >/dev/null; then
    (umask 022; kraft_as bash --posix -e -c "$kraft_watch" sh "$1") </dev/null 9>&- 8>"$KRAFT_DIR/ended"
  else : >"$KRAFT_DIR/ended"; kraft_run "$1"; fi
}
kraft_watch='set -E; shopt -s xpg_echo; trap '\\''echo "$? $LINENO" >&8'\\'' ERR; KRAFT_SCRIPT=$1; shift; . "$KRAFT_SCRIPT"'
kraft_line() { awk -v code="$1" '$1 != code { line = "" } $1 == code && line == "" { line = $2 } END { print line }' "$KRAFT_DIR/ended"; }
kraft_apply() {
  if [ -n "$kraft_ended" ]; then return 0; fi
  if [ "$kraft_mode" = check ]; then
    if [ "$kraft_kind" = quiet ]; then kraft_end ok
    elif [ -n "$kraft_changes" ] && [ "$kraft_code" -gt 1 ]; then kraft_end maybe
    else kraft_changes=1; kraft_end changes; fi
    return 0
  fi
  # Due before it is needed: a step that is killed half-way has still asked for its handlers.
  for kraft_name in "$@"; do
    (umask 022; mkdir -p "$kraft_due") && kraft_handler "$kraft_name" >"$kraft_due/.$kraft_name" &&
      mv -f "$kraft_due/.$kraft_name" "$kraft_due/$kraft_name"
  done
  kraft_write apply
  kraft_change "$KRAFT_STEP/kraft-apply" 2>&1; kraft_code=$?
  if [ "$kraft_code" != 0 ]; then kraft_failed=1; kraft_end failed "$kraft_code $(kraft_line "$kraft_code")"
  elif [ "$kraft_kind" = quiet ]; then kraft_end ok
  else kraft_end changed; fi
}
kraft_finish() {
  kraft_user=root
  if [ "$kraft_mode" != check ]; then
    for kraft_script in "$kraft_due"/*; do
      [ -f "$kraft_script" ] || continue
      kraft_event handler "\${kraft_script##*/}"
      kraft_change "$kraft_script" 2>&1; kraft_code=$?
      if [ "$kraft_code" = 0 ]; then rm -f "$kraft_script"; else kraft_failed=1; fi
      kraft_event handler-end "$kraft_code" "\${kraft_script##*/}"
    done
  fi
  kraft_event finish "\${kraft_failed:-0}"
}`
