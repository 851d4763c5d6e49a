import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { KraftError } from '../errors/failure.js'
import { quote } from '../shell/sh.js'
import type { Channel, Connection } from '../ssh/connection.js'
import type { Script } from './compile.js'
import type { StepStatus } from './step.js'

/** What a node reports while a script runs. Steps are known by their place in {@link Script.steps}. */
export type StepEvent =
  | { readonly type: 'waiting' }
  | { readonly type: 'begin'; readonly step: number }
  | { readonly type: 'output'; readonly text: string }
  | { readonly type: 'end'; readonly step: number; readonly status: StepStatus; readonly detail: string }
  | { readonly type: 'handler'; readonly name: string }
  | { readonly type: 'handler-end'; readonly name: string; readonly code: number }
  | { readonly type: 'finish'; readonly ok: boolean }

/**
 * Sends a compiled script to a node over one channel and yields its events. The script arrives whole, is checked by its
 * hash, and then runs detached: losing the connection does not stop it half-way, and the next run waits for it.
 *
 * @throws KraftError `unreachable`, or `task` where sudo refuses.
 */
export async function* apply(
  connection: Connection,
  script: Script,
  mode: 'apply' | 'check' = 'apply',
): AsyncGenerator<StepEvent> {
  const token = randomBytes(12).toString('hex')
  const text = Buffer.from(script.text)
  const secrets = script.secrets.map(({ path, value }) => ({ path, content: Buffer.from(value()) }))
  const launcher = launch({ token: token.length, mode, hash: script.hash, size: text.length, secrets })
  const channel = await connection.exec(asRoot(connection.user, launcher))
  channel.stdin.end(Buffer.concat([Buffer.from(token), text, ...secrets.map(({ content }) => content)]))
  const errors = collect(channel)
  let finished = false
  // The stream is left whole: a destroyed one never tells that its channel has ended, and keeps the channel's place.
  for await (const event of parse(channel.stdout.iterator({ destroyOnReturn: false }), token)) {
    finished ||= event.type === 'finish'
    yield event
    if (finished) break
  }
  if (finished) {
    channel.close()
    return
  }
  const { code } = await channel.exit
  throw explain(connection, code, (await errors).trim())
}

/** Puts a command line behind sudo where the login is not root. Never asks: a prompt would eat the script's stream. */
export function asRoot(user: string, command: string): string {
  return user === 'root' ? `sh -c ${quote(command)}` : `sudo -n -- sh -c ${quote(command)}`
}

function launch(given: {
  token: number
  mode: string
  hash: string
  size: number
  secrets: readonly { path: string; content: Buffer }[]
}): string {
  const room = '/run/kraftwerk'
  return [
    'umask 077',
    `mkdir -p ${room} && d=$(mktemp -d ${room}/XXXXXXXX) && cd "$d" || exit 98`,
    `find ${room} -mindepth 1 -maxdepth 1 -type d -mmin +1440 -exec rm -rf {} +`,
    // The token comes by stdin: an argument would show in ps to those it must be hidden from.
    `token=$(head -c ${given.token})`,
    `head -c ${given.size} >script`,
    ...given.secrets.flatMap(({ path, content }) => [
      `mkdir -p ${quote(path.slice(0, path.lastIndexOf('/')))}`,
      `head -c ${content.length} >${quote(path)}`,
    ]),
    `printf '%s  script\\n' ${given.hash} | sha256sum -c --status || { cd /; rm -rf "$d"; echo 'the script arrived damaged' >&2; exit 97; }`,
    `exec 9>>${room}/lock`,
    `flock -w 2 9 || { printf '\\n\\036%s waiting\\n' "$token"; flock 9; }`,
    ': >log',
    // Whoever follows may go; the script stays, removes its secrets, and keeps the lock until it is done.
    `KRAFT_DIR="$d" KRAFT_TOKEN="$token" KRAFT_MODE=${given.mode} setsid sh -c 'sh "$KRAFT_DIR/script"; rm -rf "$KRAFT_DIR"/[0-9]*' </dev/null >>log 2>&1 &`,
    'exec 9>&-',
    'tail -c +1 -s 0.2 -f --pid=$! log',
    'cd / && rm -rf "$d"',
  ].join('\n')
}

async function* parse(stream: AsyncIterable<Buffer>, token: string): AsyncGenerator<StepEvent> {
  const decoder = new TextDecoder()
  const mark = `\x1e${token} `
  let rest = ''
  for await (const chunk of stream) {
    const rows = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = rows.pop() ?? ''
    for (const row of rows) {
      if (row.startsWith(mark)) yield read(row.slice(mark.length))
      else if (row !== '') yield { type: 'output', text: row }
    }
  }
}

function read(report: string): StepEvent {
  const [type = '', first = '', second = '', ...more] = report.split(' ')
  switch (type) {
    case 'begin':
      return { type, step: Number(first) }
    case 'end':
      return { type, step: Number(first), status: second as StepStatus, detail: more.join(' ') }
    case 'handler':
      return { type, name: first }
    case 'handled':
      return { type: 'handler-end', name: first, code: 0 }
    case 'handler-failed':
      return { type: 'handler-end', name: first, code: Number(second) }
    case 'waiting':
      return { type }
    default:
      return { type: 'finish', ok: first === '0' }
  }
}

async function collect(channel: Channel): Promise<string> {
  let text = ''
  channel.stderr.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4000)
  })
  await once(channel.stderr, 'close')
  return text
}

function explain(connection: Connection, code: number | null, said: string): KraftError {
  if (/sudo:.*password is required|sudo:.*a terminal is required|is not in the sudoers/.test(said)) {
    return new KraftError({
      kind: 'task',
      node: connection.node,
      message: `${connection.user} may not use sudo without a password there`,
      output: said,
      next: `Log in as root, or give ${connection.user} the line "${connection.user} ALL=(ALL) NOPASSWD:ALL" in /etc/sudoers.d`,
    })
  }
  return new KraftError({
    kind: 'unreachable',
    node: connection.node,
    message: `the connection ended while steps ran (code ${code ?? 'none'}); what had started goes on there`,
    next: `${said === '' ? '' : `It said: ${said}. `}Run the same command again: it waits for what still runs and does only what is missing`,
  })
}
