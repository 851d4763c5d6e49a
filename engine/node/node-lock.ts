import type { Readable } from 'node:stream'
import { KraftError } from '../errors/failure.js'
import { quote, type Sh, sh } from '../shell/sh.js'
import type { Connection } from '../ssh/connection.js'
import { noSudo, sudoRefused } from '../ssh/no-sudo.js'
import type { Node } from './node.js'

const beat = 5_000
const patience = 20
const held = 75
const unprepared = 97
const unwritable = 98
// Seconds: a virtualenv may be in the making.
const orphanPatience = 600

/** Where locks are on a node; nobody but root opens a file there, for whoever can read one can hold it. */
export const locksFolder = '/var/lib/kraftwerk/locks'

/** A lock that this process holds on a node. */
export interface NodeLock {
  /** The file with the number of the newest lock, and this lock's own: who has an older number has lost it. */
  readonly file: string
  readonly number: string
  /** What the script that was to run under the lock printed. */
  readonly said: string
  release(): Promise<void>
}

/** What {@link lockNode} does where somebody else holds the lock. */
export interface Waiting {
  /** Seconds until it gives up; at once if left out. */
  readonly seconds?: number
  /** Told who holds it, since when, and again each time that this changes. */
  readonly tell?: (holder: string) => void
}

/** How {@link lockNode} takes a lock. */
export interface Taking extends Waiting {
  /** Reads what only the lock's holder can rely on, in the same round trip: {@link NodeLock.said}. */
  readonly look?: Sh
  /** What must be so before anything is written there; else it is refused with that. */
  readonly given?: { readonly check: Sh; readonly message: string; readonly next: string }
}

/**
 * Takes a lock on a node. It belongs to this process by a heartbeat over a channel of its own: when kraft dies the node frees it
 * at once, and when its machine sleeps after 20 seconds, but never while a script still runs that this process has sent
 * meanwhile: the next one waits for that. Each lock has a higher number than the last, which {@link NodeLock.file} holds; scripts of an older one do not start.
 *
 * @throws KraftError `task` where somebody else holds it, naming who and since when, or where the node's disk is full.
 * @example const lock = await lockNode(node, 'shop', 'ann@laptop', { seconds: 60, tell: (holder) => line.output(holder) })
 */
export async function lockNode(
  node: Node,
  name: string,
  holder: string,
  { seconds = 0, tell = () => undefined, look = sh`:`, given }: Taking = {},
): Promise<NodeLock> {
  const file = `${locksFolder}/${name}`
  // Taken alone, then shared: with the scripts of its holder, which keep the next one out as well. Should somebody come in between
  // the two, theirs is the higher number.
  const script = sh`
    umask 077
    # The words by which a full disk is known.
    export LC_ALL=C
    if ! { ${given?.check ?? sh`:`}; }; then exit ${unprepared}; fi
    unwritable() { { df -h .; df -i .; } >&2; exit ${unwritable}; }
    cd /var/lib && { [ -d ${locksFolder} ] || mkdir -p -m 700 ${locksFolder}; } && cd ${locksFolder} && : >>${`${name}.held`} || unwritable
    exec 8>>${`${name}.held`}
    # Shared: once whoever took it has said who that is.
    holder() { flock -s -w 2 8; cat ${`${name}.holder`} 2>/dev/null; flock -u 8; }
    told=
    # Whoever only looks whether it is held has it for a moment.
    while ended=$(cat ${`${name}.ended`} 2>/dev/null || :); ! flock -w 0.1 8; do
      holder=$(holder) seconds=${seconds}
      # Its kraft had ended before that, so a script of it goes on, which ends by itself: nobody could be asked to end it.
      if [ -n "$ended" ] && [ "$ended" = "$(cat ${name})" ]; then
        holder="$holder, whose kraft has ended: what it began there goes on"
        if [ "$seconds" -lt ${orphanPatience} ]; then seconds=${orphanPatience}; fi
      fi
      # Twice, should that moment be a long one.
      if [ -n "$told" ] && [ "$SECONDS" -ge "$seconds" ]; then printf '%s\n' "$holder"; exit ${held}; fi
      if [ "$holder" != "$told" ] && [ "$seconds" -gt 0 ]; then printf 'held %s\n' "$holder"; fi
      told=\${holder:-nobody}
      IFS= read -r -t 0.3 _
      # Whoever waited is gone.
      if [ $? = 1 ]; then exit ${held}; fi
    done
    number=$(($(cat ${name} 2>/dev/null || echo 0) + 1))
    # Both are whole before either counts: on a full disk the last holder and number stay.
    printf '%s, since %s\n' ${holder} "$(date -u '+%F %T UTC')" >${`${name}.holder.new`} && echo "$number" >${`${name}.new`} &&
      mv -f ${`${name}.holder.new`} ${`${name}.holder`} && mv -f ${`${name}.new`} ${name} || {
      rm -f ${`${name}.holder.new`} ${`${name}.new`}
      unwritable
    }
    flock -s 8
    if [ "$(cat ${name})" != "$number" ]; then cat ${`${name}.holder`}; exit ${held}; fi
    echo "$number"
    (
      ${look}
    )
    printf '\036\n'
    while IFS= read -r -t ${patience} _; do :; done
    # Said once it is let go: whoever knows of this and finds it held all the same has found a script.
    exec 8>&-
    echo "$number" >${`${name}.ended`}
  `
  const channel = await ownConnection(node).exec(node.asRoot(`exec bash -c ${quote(script.text)}`))
  channel.stdin.on('error', () => undefined)
  let error = ''
  channel.stderr.on('data', (chunk: Buffer) => {
    error = (error + chunk.toString()).slice(-4000)
  })
  const timer = setInterval(() => channel.stdin.write('\n'), beat)
  timer.unref()
  const [number = '', ...said] = (await answer(channel.stdout, tell)).split('\n')
  if (!/^\d+$/.test(number)) {
    clearInterval(timer)
    channel.stdin.end()
    const { code } = await channel.exit
    if (code === unprepared && given !== undefined) {
      throw new KraftError({ kind: 'task', node: node.name, message: given.message, next: given.next })
    }
    throw refusal(node, name, number, code, error.trim())
  }
  node.locks.set(name, number)
  let released: Promise<void> | undefined
  return {
    file,
    number,
    said: said.join('\n'),
    release: () => {
      released ??= (async () => {
        node.locks.delete(name)
        clearInterval(timer)
        channel.stdin.end()
        await channel.exit.catch(() => undefined)
      })()
      return released
    },
  }
}

// Eight who wait for a lock would take all channels that its holder needs.
function ownConnection({ connection }: Node): Connection {
  return connection.isAlone === true ? connection : (connection.direct ?? connection)
}

function refusal(node: Node, name: string, holder: string, code: number | null, said: string): KraftError {
  if (sudoRefused(said)) return noSudo(node.connection, said)
  if (code === unwritable && /No space left on device|Disk quota exceeded/.test(said)) {
    return new KraftError({
      kind: 'task',
      node: node.name,
      message: `the disk is full that ${locksFolder} is on, so nothing was changed`,
      output: said,
      next: 'Remove what is not needed there (old logs, what apt-get clean removes), then run the same command again',
    })
  }
  if (code !== held) return new KraftError({ kind: 'command', node: node.name, command: `lock ${name}`, code, output: said })
  return new KraftError({
    kind: 'task',
    node: node.name,
    message: `somebody else is changing ${name} now: ${holder}`,
    next: `Wait until it is done (--wait 300 does); if it was interrupted, the node frees it within ${patience} seconds, or once what it runs there has ended`,
  })
}

// Not by iteration: leaving a loop would destroy the stream, and with it the channel that holds the lock.
function answer(stream: Readable, tell: (holder: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = []
    let text = ''
    stream.on('data', (chunk: Buffer) => {
      const rows = (text + chunk.toString()).split('\n')
      text = rows.pop() ?? ''
      for (const row of rows) {
        if (row === '\x1e') resolve(said.join('\n'))
        else if (said.length === 0 && row.startsWith('held ')) tell(row.slice(5))
        else said.push(row)
      }
    })
    stream.on('end', () => resolve([...said, text.trim()].join('\n')))
    stream.on('error', reject)
  })
}
