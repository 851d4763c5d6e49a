import { createHash } from 'node:crypto'
import { isSecret, reveal } from '../shell/secret.js'
import { quote } from '../shell/sh.js'
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
    for (const handler of step.notify ?? []) note(handlers, handler)
    const parts = [`\n# ${index}: ${oneLine(step.title)}`, `mkdir -p "$KRAFT_DIR/${index}"`]
    for (const [name, content] of Object.entries(step.files ?? {})) {
      if (!/^[a-z]\w*$/.test(name)) throw new TypeError(`The file "${name}" of the step "${step.title}" needs a name of letters`)
      if (isSecret(content)) secrets.push({ path: `${index}/${name}`, value: () => reveal(content) })
      else parts.push(put(`${index}/${name}`, content))
    }
    for (const part of ['check', 'diff', 'apply'] as const) {
      const script = step[part]
      if (script !== undefined) parts.push(put(`${index}/kraft-${part}`, `${script.text}\n`))
    }
    const notify = (step.notify ?? []).map((handler) => quote(handler.name))
    const kind = step.quiet === true ? 'quiet' : 'counts'
    return [...parts, ['step', index, kind, userOf(step), ...notify].join(' ')].join('\n')
  })
  const known = [...handlers.values()].map((handler) => put(`handler-${handler.name}`, `${handler.apply.text}\n`))
  const text = `${['#!/bin/sh', `# kraft: ${oneLine(title)}`, prelude, ...known, ...body, '\nfinish'].join('\n')}\n`
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

// Text stays readable in the printed script; whatever a here-document cannot carry byte for byte goes as base64.
function put(path: string, content: string): string {
  const target = `"$KRAFT_DIR/${path}"`
  if (content.endsWith('\n') && !content.includes('\0') && !content.includes('\r')) {
    const end = `KRAFT_${createHash('sha256').update(content).digest('hex').slice(0, 8)}`
    return `cat >${target} <<'${end}'\n${content}${end}`
  }
  return `base64 -d >${target} <<'KRAFT_BASE64'\n${Buffer.from(content).toString('base64').replaceAll(/.{76}/g, '$&\n')}\nKRAFT_BASE64`
}

// A handler that is due is kept on disk until it ran: neither a failed step nor a power cut can lose it. What changes things runs
// in bash where it is, in the ways of POSIX sh: only bash can tell which line it ended at. A step's files stay in a folder that
// only root can write, as root writes there as well; of another user's step they belong to that user.
const prelude = `set -u
cd /
umask 077
export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
token=$KRAFT_TOKEN mode=$KRAFT_MODE user=root failed= changes= due=/var/lib/kraftwerk/handlers
unset KRAFT_TOKEN KRAFT_MODE
export KRAFT_DIR KRAFT_STEP=
event() { printf '\\n\\036%s %s\\n' "$token" "$*"; }
# Without the lock: what a step leaves running must not keep it.
run() { (umask 022; as sh -e "$1") </dev/null 9>&-; }
as() {
  if [ "$user" = root ]; then exec "$@"; fi
  if ! id "$user" >/dev/null 2>&1; then echo "there is no user $user" >&2; exit 127; fi
  exec env HOME="$(getent passwd "$user" | cut -d: -f6)" USER="$user" LOGNAME="$user" \\
    setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups -- "$@"
}
lend() {
  chmod 711 "$KRAFT_DIR" "$KRAFT_STEP"
  if id "$user" >/dev/null 2>&1; then chown "$user" "$KRAFT_STEP"/*; fi
}
change() {
  if command -v bash >/dev/null; then
    (umask 022; as bash --posix -e -c "$watch" sh "$1") </dev/null 9>&- 8>"$KRAFT_DIR/ended"
  else : >"$KRAFT_DIR/ended"; run "$1"; fi
}
watch='set -E; shopt -s xpg_echo; trap '\\''echo "$? $LINENO" >&8'\\'' ERR; KRAFT_SCRIPT=$1; shift; . "$KRAFT_SCRIPT"'
line() { awk -v code="$1" '$1 != code { line = "" } $1 == code && line == "" { line = $2 } END { print line }' "$KRAFT_DIR/ended"; }
step() {
  n=$1 kind=$2 user=$3; shift 3
  KRAFT_STEP=$KRAFT_DIR/$n code=1
  # Ctrl-C: what has begun is finished, and no more is begun.
  if [ -e "\${KRAFT_DIR%/*}/stop-$token" ]; then failed=1; fi
  if [ -n "$failed" ]; then return 0; fi
  event begin "$n"
  if [ "$user" != root ]; then lend; fi
  if [ -f "$KRAFT_STEP/kraft-check" ]; then
    run "$KRAFT_STEP/kraft-check" >"$KRAFT_STEP/kraft-out" 2>&1; code=$?
  fi
  if [ "$code" = 0 ]; then event end "$n" ok; return 0; fi
  if [ "$code" = 75 ]; then event end "$n" skipped "$(tail -n 1 "$KRAFT_STEP/kraft-out")"; return 0; fi
  if [ "$mode" = check ]; then
    if [ -f "$KRAFT_STEP/kraft-diff" ]; then run "$KRAFT_STEP/kraft-diff" 2>&1; fi
    if [ "$kind" = quiet ]; then event end "$n" ok
    elif [ -n "$changes" ] && [ "$code" -gt 1 ]; then event end "$n" maybe
    else changes=1; event end "$n" changes; fi
    return 0
  fi
  # Due before it is needed: a step that is killed half-way has still asked for its handlers.
  for handler in "$@"; do
    (umask 022; mkdir -p "$due") && cp "$KRAFT_DIR/handler-$handler" "$due/.$handler" && mv -f "$due/.$handler" "$due/$handler"
  done
  change "$KRAFT_STEP/kraft-apply" 2>&1; code=$?
  if [ "$code" != 0 ]; then failed=1; event end "$n" failed "$code $(line "$code")"
  elif [ "$kind" = quiet ]; then event end "$n" ok
  else event end "$n" changed; fi
}
finish() {
  user=root
  if [ "$mode" != check ]; then
    for script in "$due"/*; do
      [ -f "$script" ] || continue
      event handler "\${script##*/}"
      change "$script" 2>&1; code=$?
      if [ "$code" = 0 ]; then rm -f "$script"; else failed=1; fi
      event handler-end "$code" "\${script##*/}"
    done
  fi
  event finish "\${failed:-0}"
}`
