import { KraftError } from '../errors/failure.js'
import { reveal, type Secret } from '../shell/secret.js'
import { quote, sh } from '../shell/sh.js'
import type { Connection } from './connection.js'

/** A program on a node that tells sudo the password, which it gets over a channel of its own each time sudo asks. */
export interface Askpass {
  /** Where it is: the value of SUDO_ASKPASS. */
  readonly program: string
  /** What each question is answered with from now on; undefined: with nothing, which makes sudo give up. */
  answer(password: Secret | undefined, times?: number): void
  /** Resolves when it is gone, as after a lost connection. */
  readonly gone: Promise<void>
  /** Takes it away. */
  close(): void
}

/**
 * Puts an askpass program on a node. The password travels on the input of a channel that only serves it, through a pipe with
 * a name (never a file, an argument or the environment), and only when sudo asks; the folder goes with the channel.
 */
export async function startAskpass(connection: Connection): Promise<Askpass> {
  // Beside the 8 channels for commands: it stays open while they run.
  const channel = await connection.exec(`exec sh -c ${quote(server)}`, { urgent: true })
  let password: Secret | undefined
  let left = 0
  let said = ''
  channel.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-1000)
  })
  const program = await new Promise<string | undefined>((resolve) => {
    let text = ''
    channel.stdout.on('data', (chunk: Buffer) => {
      const rows = (text + chunk.toString()).split('\n')
      text = rows.pop() ?? ''
      for (const row of rows) {
        if (row.startsWith('ready ')) resolve(row.slice('ready '.length))
        else if (row === 'ask') channel.stdin.write(`${password !== undefined && left-- > 0 ? reveal(password) : ''}\n`)
      }
    })
    channel.stdout.once('end', () => resolve(undefined))
  })
  if (program === undefined) {
    channel.close()
    const message = 'no folder there lets a program of its login run, which would hand over the password for sudo'
    throw new KraftError({ kind: 'task', node: connection.node, message, output: said.trim() })
  }
  return {
    program,
    answer: (next, times = Number.POSITIVE_INFINITY) => {
      password = next
      left = times
    },
    gone: channel.exit.then(
      () => undefined,
      () => undefined,
    ),
    close: () => channel.stdin.end(),
  }
}

// /tmp may be mounted noexec, and a home may be read-only. Both pipes are held open, so that neither side waits for the other to
// come; one question at a time, or two programs would share one answer.
const server = sh`
  umask 077
  for base in "$XDG_RUNTIME_DIR" /dev/shm /tmp "$HOME"; do
    [ -d "$base" ] && d=$(mktemp -d "$base/.kraft-XXXXXXXX" 2>/dev/null) || continue
    cat >"$d/askpass" <<'END'
#!/bin/sh
d=\${0%/*}
[ "$1" != works ] || exit 0
exec 9>"$d/lock" && flock 9 && echo ask >"$d/question" && IFS= read -r answer <"$d/answer" || exit 1
[ -n "$answer" ] && printf '%s\n' "$answer"
END
    chmod 700 "$d/askpass" && "$d/askpass" works 2>/dev/null && break
    rm -rf "$d"
    d=
  done
  [ -n "$d" ] || exit 1
  trap 'rm -rf "$d"' EXIT
  trap 'exit 1' HUP INT TERM
  mkfifo "$d/question" "$d/answer" || exit 1
  exec 3<>"$d/question" 4<>"$d/answer"
  echo "ready $d/askpass"
  while read -r _ <&3; do echo ask; done </dev/null &
  asks=$!
  while IFS= read -r answer; do printf '%s\n' "$answer" >&4; done
  kill "$asks"
`.text
