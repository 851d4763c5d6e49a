import { randomBytes } from 'node:crypto'
import { KraftError } from '../errors/failure.js'
import { WholeLines } from '../report/whole-lines.js'
import { asRoot } from '../shell/as-root.js'
import { sh } from '../shell/sh.js'
import type { Channel, Connection } from '../ssh/connection.js'
import { gather } from '../ssh/gather.js'
import { noSudo, sudoRefused } from '../ssh/no-sudo.js'
import type { Script } from './compile.js'
import type { StepStatus } from './step.js'

/** What a node reports while a script runs. Steps are known by their place in {@link Script.steps}. */
export type StepEvent =
  | { readonly type: 'waiting' }
  | { readonly type: 'begin'; readonly step: number }
  | { readonly type: 'output'; readonly text: string }
  | {
      readonly type: 'end'
      readonly step: number
      readonly status: StepStatus
      /** Why it was skipped, or the code that it failed with. */
      readonly detail: string
      /** The line of what it applies at which it failed, where the node can tell. */
      readonly line?: number
    }
  | { readonly type: 'handler'; readonly name: string }
  | { readonly type: 'handler-end'; readonly name: string; readonly code: number }
  | { readonly type: 'finish'; readonly ok: boolean }
  /** Somebody has a newer lock of this name: nothing ran. */
  | { readonly type: 'lost'; readonly lock: string; readonly holder: string }

/**
 * Sends a compiled script to a node over one channel and yields its events. The script arrives whole, is checked by its
 * hash, and then runs detached: losing the connection does not stop it half-way, and the next run waits for it. `locks` are those
 * that it runs under: it keeps them held until it ends, and does not begin where somebody has a newer one.
 *
 * @throws KraftError `unreachable`, or `task` where sudo refuses, the node can't run it, or a lock is lost.
 * @example for await (const event of apply(connection, compile('Packages', apt('nginx')))) console.log(event)
 */
export async function* apply(
  connection: Connection,
  script: Script,
  mode: 'apply' | 'check' = 'apply',
  locks: ReadonlyMap<string, string> = new Map(),
): AsyncGenerator<StepEvent> {
  const token = randomBytes(12).toString('hex')
  const channel = await connection.exec(asRoot(connection.user, launcher))
  const said = collect(channel)
  channel.stdin.end(parcel(token, mode, script, locks))
  const stop = () => requestStop(connection, token)
  stops.add(stop)
  let finished = false
  // The stream is left whole: a destroyed one never tells that its channel has ended, and keeps the channel's place.
  try {
    for await (const event of parse(channel.stdout.iterator({ destroyOnReturn: false }), token)) {
      if (event.type === 'lost') {
        channel.close()
        throw lostLock(connection, event)
      }
      finished ||= event.type === 'finish'
      yield event
      if (finished) break
    }
  } finally {
    stops.delete(stop)
  }
  if (finished) {
    channel.close()
    return
  }
  const code = await channel.exit.then(
    (exit) => exit.code,
    () => null,
  )
  throw explain(connection, code, said().trim())
}

/** Has a node get ready for a script that will be sent soon: it then costs one round trip. */
export function expectScript(connection: Connection): void {
  connection.ahead?.(asRoot(connection.user, launcher))
}

const stops = new Set<() => Promise<void>>()

/**
 * Asks every script that runs on a node to end behind the step that it is at: that one is never cut in two, the ones after it are
 * left to the next run.
 */
export async function stopScripts(): Promise<void> {
  await Promise.all([...stops].map((stop) => stop()))
}

async function requestStop(connection: Connection, token: string): Promise<void> {
  const command = asRoot(connection.user, sh`: >${`/run/kraftwerk/stop-${token}`}`.text)
  // A node that can't be told any more ends by itself.
  await connection
    .exec(command, { urgent: true })
    .then(gather)
    .catch(() => undefined)
}

/** What goes to the launcher's stdin: a line of what to do, then each file as a line with its size and path and its bytes. */
function parcel(token: string, mode: string, script: Script, locks: ReadonlyMap<string, string>): Buffer {
  const files = [
    { path: 'script', content: Buffer.from(script.text) },
    ...script.secrets.map(({ path, value }) => ({ path, content: Buffer.from(value()) })),
  ]
  return Buffer.concat([
    Buffer.from(`${[token, mode, script.hash, ...[...locks].map((lock) => lock.join('='))].join(' ')}\n`),
    ...files.flatMap(({ path, content }) => [Buffer.from(`${content.length} ${path}\n`), content]),
    Buffer.from('0 end\n'),
  ])
}

const damaged = 97

// The same for every run: what is said on a command line shows in ps and in sudo's log. Only the last line of the parcel
// proves that the secrets came whole as well. Whoever gave up waiting for the lock reads no more: writing to nobody ends the
// launcher, and nothing runs behind their back. Whoever follows the log may go; the script stays with all that it needs, removes
// its secrets, and keeps the lock until it is done. What old runs left behind keeps nobody waiting.
// A script that still runs keeps the lock of who sent it held, though kraft is gone: flock waits for it, and nothing that a step
// starts inherits the lock's descriptor.
const current = sh`
  cd /var/lib/kraftwerk/locks
  lock=$1; shift
  if read -r newest <"\${lock%=*}" && [ "$newest" = "\${lock#*=}" ]; then exec "$@"; fi
  printf '\n\036%s lost %s %s\n' "$KRAFT_TOKEN" "\${lock%=*}" "$(cat "\${lock%=*}.holder")"
`.text
const tidied = sh`"$@"; rm -rf "$KRAFT_DIR"/[0-9]* "\${KRAFT_DIR%/*}/stop-$KRAFT_TOKEN"`.text

const launcher = sh`
  umask 077
  # It may have been started before there was a script for it.
  damaged() { echo 'the script arrived damaged' >&2; exit ${damaged}; }
  read -r token mode hash locks || damaged
  room=/run/kraftwerk
  { chmod 711 "$room" 2>/dev/null || mkdir -p -m 711 "$room"; } && d=$(mktemp -d "$room/XXXXXXXX") && cd "$d" || exit 98
  path=
  while read -r size path && [ "$path" != end ]; do
    case $path in */*) mkdir -p "\${path%/*}" ;; esac
    head -c "$size" >"$path"
  done
  if [ "$path" != end ] || ! printf '%s  script\n' "$hash" | sha256sum -c --status; then
    cd / && rm -rf "$d"
    damaged
  fi
  say() { printf '\n\036%s %s\n' "$token" "$1"; }
  exec 9>>"$room/lock"
  flock -w 2 9 || { say waiting; flock 9; say waited; }
  : >log
  set -- sh "$d/script"
  for lock in $locks; do set -- flock -s -o "/var/lib/kraftwerk/locks/\${lock%=*}.held" sh -c ${current} sh "$lock" "$@"; done
  KRAFT_DIR=$d KRAFT_TOKEN=$token KRAFT_MODE=$mode setsid sh -c ${tidied} sh "$@" </dev/null >>log 2>&1 &
  exec 9>&-
  tail -c +1 -s 0.2 -f --pid=$! log
  wait
  cd / && rm -rf "$d"
  find "$room" -mindepth 1 -maxdepth 1 \( -type d -o -name 'stop-*' \) -mmin +1440 -exec rm -rf {} +
`.text

async function* parse(stream: AsyncIterable<Buffer>, token: string): AsyncGenerator<StepEvent> {
  const mark = `\x1e${token} `
  const rows: string[] = []
  const lines = new WholeLines((row) => rows.push(row))
  for await (const chunk of stream) {
    lines.push(chunk)
    for (const row of rows.splice(0)) {
      const event = row.startsWith(mark) ? read(row.slice(mark.length)) : row === '' ? undefined : output(row)
      if (event !== undefined) yield event
    }
  }
}

function output(text: string): StepEvent {
  return { type: 'output', text }
}

function read(report: string): StepEvent | undefined {
  const [type = '', ...words] = report.split(' ')
  switch (type) {
    case 'begin':
      return { type, step: Number(words[0]) }
    case 'end':
      return ended(words)
    case 'handler':
      return { type, name: words.join(' ') }
    case 'handler-end':
      return { type, code: Number(words[0]), name: words.slice(1).join(' ') }
    case 'finish':
      return { type, ok: words[0] === '0' }
    case 'waiting':
      return { type }
    case 'lost':
      return { type, lock: words[0] ?? '', holder: words.slice(1).join(' ') }
    default:
      return undefined
  }
}

function ended([step, status, ...words]: readonly string[]): StepEvent {
  const [code = '', line = ''] = words
  const end = { type: 'end' as const, step: Number(step), status: status as StepStatus }
  if (status !== 'failed') return { ...end, detail: words.join(' ') }
  return { ...end, detail: code, ...(line === '' ? {} : { line: Number(line) }) }
}

function lostLock({ node }: Connection, { lock, holder }: Extract<StepEvent, { type: 'lost' }>): KraftError {
  return new KraftError({
    kind: 'task',
    node,
    message: `somebody else took over ${lock} while this kraft was away: ${holder}`,
    next: 'Nothing more was done there. See what it serves now, then run the same command again',
  })
}

function collect(channel: Channel): () => string {
  let text = ''
  channel.stderr.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4000)
  })
  return () => text
}

function explain(connection: Connection, code: number | null, said: string): KraftError {
  if (sudoRefused(said)) return noSudo(connection, said)
  const next = 'Run the same command again: it waits for what still runs and does only what is missing'
  if (code === null || code === damaged) {
    return new KraftError({
      kind: 'unreachable',
      node: connection.node,
      message:
        code === null
          ? 'the connection ended while steps ran; what had started goes on there'
          : 'the steps arrived damaged; none ran',
      next,
    })
  }
  return new KraftError({
    kind: 'task',
    node: connection.node,
    message: 'the steps ended there before all were done',
    ...(said === '' ? {} : { output: said }),
    next,
  })
}
