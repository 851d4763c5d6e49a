import { setTimeout as sleep } from 'node:timers/promises'
import { asRoot } from '../shell/as-root.js'
import { quote } from '../shell/sh.js'
import type { Channel, Connection } from './connection.js'
import { gather } from './gather.js'

/** A command on a node whose processes can be ended together. */
export interface Group {
  readonly channel: Channel
  /** Signals every process of the command over a channel of its own. Never throws: what is gone already needs no signal. */
  kill(signal: NodeJS.Signals): Promise<void>
}

/**
 * Runs a command so that it can be signalled. SSH's own signals are refused by sshd for root and lost after the end of input,
 * therefore the command first says its process group, which is taken out of the output again.
 */
export async function execGroup(connection: Connection, command: string): Promise<Group> {
  const channel = await connection.exec(`exec sh -c ${quote(`${sayGroup}\n${command}`)}`)
  const group = await readGroup(channel)
  const made: Group = {
    channel,
    async kill(signal) {
      if (group === undefined) return channel.close()
      const kill = `kill -s ${signal.replace(/^SIG/, '')} -- -${group} 2>/dev/null`
      // What runs under sudo belongs to another user, whom only root may signal.
      const forRoot = `[ "$(id -u)" = 0 ] || ${asRoot('', kill)} 2>/dev/null`
      const killer = await connection.exec(`exec sh -c ${quote(`${kill}; ${forRoot}`)}`, { urgent: true }).catch(() => undefined)
      if (killer === undefined) return channel.close()
      await gather(killer).catch(() => undefined)
    },
  }
  running.add(made)
  const gone = () => running.delete(made)
  channel.exit.then(gone, gone)
  return made
}

const running = new Set<Group>()

/** Interrupts every command that still runs on a node, and kills what has not ended after so many milliseconds. */
export async function endGroups(patience = 3000): Promise<void> {
  const all = [...running]
  if (all.length === 0) return
  // Nobody may be reading what they say last, and a channel with something to read never ends.
  for (const { channel } of all) for (const stream of [channel.stdout, channel.stderr]) stream.resume()
  const ended = Promise.all(all.map(({ channel }) => channel.exit.catch(() => undefined)))
  await within(patience, Promise.all(all.map((group) => group.kill('SIGINT'))))
  await within(patience, ended)
  await within(patience, Promise.all(all.filter((group) => running.has(group)).map((group) => group.kill('SIGKILL'))))
}

async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController()
  const late = sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined)
  await Promise.race([work.catch(() => undefined), late])
  timer.abort()
}

// Field 5 of its stat is the group of a process; without /proc the shell of a channel leads its group anyway.
const sayGroup = String.raw`if read -r _ _ _ _ kraft_group _ </proc/$$/stat; then :; else kraft_group=$$; fi 2>/dev/null
printf '\001kraft %s\n' "$kraft_group"; unset kraft_group`

// biome-ignore lint/suspicious/noControlCharactersInRegex: the control character is what no program prints by accident
const said = /\u0001kraft (\d+)\n/

/** Reads up to the group's line and leaves the rest; what came before it (a chatty .bashrc) is not the command's output. */
async function readGroup({ stdout }: Channel): Promise<string | undefined> {
  let text = Buffer.alloc(0)
  return new Promise((resolve) => {
    const settle = (group: string | undefined, rest: Buffer): void => {
      stdout.removeListener('readable', read)
      stdout.removeListener('end', ended)
      if (rest.length > 0) stdout.unshift(rest)
      resolve(group)
    }
    const ended = (): void => settle(undefined, Buffer.alloc(0))
    const read = (): void => {
      for (let chunk: unknown = stdout.read(); chunk !== null; chunk = stdout.read()) {
        text = Buffer.concat([text, Buffer.from(chunk as Buffer)])
        const found = said.exec(text.toString('latin1'))
        if (found === null && text.length <= 65_536) continue
        settle(found?.[1], found === null ? text : text.subarray(found.index + found[0].length))
        return
      }
    }
    stdout.on('readable', read)
    stdout.once('end', ended)
    read()
  })
}
