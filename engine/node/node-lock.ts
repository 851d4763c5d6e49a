import type { Readable } from 'node:stream'
import { KraftError } from '../errors/failure.js'
import { quote, type Sh, sh } from '../shell/sh.js'
import { noSudo, sudoRefused } from '../ssh/no-sudo.js'
import type { Node } from './node.js'

const beat = 5_000
const patience = 30
const held = 75

/** A lock that this process holds on a node. */
export interface NodeLock {
  /** The file with the number of the newest lock, and this lock's own: who has an older number has lost it. */
  readonly file: string
  readonly number: string
  /** What the script that was to run under the lock printed. */
  readonly said: string
  release(): Promise<void>
}

/**
 * Takes a lock on a node. It belongs to this process by a heartbeat over a channel of its own: when kraft dies or its machine
 * sleeps, the node frees it after 30 seconds. Each lock has a higher number than the last, which {@link NodeLock.file} holds.
 *
 * `look` is a script that reads what only the lock's holder can rely on, in the same round trip.
 *
 * @throws KraftError `task` where somebody else holds it, naming who and since when.
 */
export async function lockNode(node: Node, name: string, holder: string, look: Sh = sh`:`): Promise<NodeLock> {
  const folder = '/var/lib/kraftwerk/locks'
  const file = `${folder}/${name}`
  const script = sh`
    mkdir -p ${folder} && cd ${folder} || exit 98
    exec 8>>${`${name}.held`}
    if ! flock -n 8; then cat ${`${name}.holder`} 2>/dev/null; exit ${held}; fi
    number=$(($(cat ${name} 2>/dev/null || echo 0) + 1))
    echo "$number" >${`${name}.new`} && mv -f ${`${name}.new`} ${name}
    printf '%s, since %s\n' ${holder} "$(date -u '+%F %T UTC')" >${`${name}.holder`}
    echo "$number"
    (
      ${look}
    )
    printf '\036\n'
    while IFS= read -r -t ${patience} _; do :; done
  `
  const connection = node.connection.direct ?? node.connection
  const channel = await connection.exec(node.asRoot(`exec bash -c ${quote(script.text)}`))
  channel.stdin.on('error', () => undefined)
  let error = ''
  channel.stderr.on('data', (chunk: Buffer) => {
    error = (error + chunk.toString()).slice(-4000)
  })
  const [number = '', ...said] = (await untilMark(channel.stdout)).split('\n')
  if (!/^\d+$/.test(number)) {
    channel.stdin.end()
    throw refusal(node, name, number, (await channel.exit).code, error.trim())
  }
  const timer = setInterval(() => channel.stdin.write('\n'), beat)
  timer.unref()
  let released: Promise<void> | undefined
  return {
    file,
    number,
    said: said.join('\n'),
    release: () => {
      released ??= (async () => {
        clearInterval(timer)
        channel.stdin.end()
        await channel.exit.catch(() => undefined)
      })()
      return released
    },
  }
}

function refusal(node: Node, name: string, holder: string, code: number | null, said: string): KraftError {
  if (sudoRefused(said)) return noSudo(node.connection, said)
  if (code !== held) return new KraftError({ kind: 'command', node: node.name, command: `lock ${name}`, code, output: said })
  return new KraftError({
    kind: 'task',
    node: node.name,
    message: `somebody else is changing ${name} now: ${holder}`,
    next: `Wait until it is done; if it was interrupted, the node frees it within ${patience} seconds`,
  })
}

// Not by iteration: leaving a loop would destroy the stream, and with it the channel that holds the lock.
function untilMark(stream: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.endsWith('\x1e\n')) resolve(text.slice(0, -2))
    })
    stream.on('end', () => resolve(text.trim()))
    stream.on('error', reject)
  })
}
