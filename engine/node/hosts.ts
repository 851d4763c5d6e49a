import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { KraftError } from '../errors/failure.js'
import { locked } from '../files/lock.js'

const mark = '# kraft'

/** The file that gives names to addresses; KRAFT_HOSTS_FILE names another. */
export function hostsFile(): string {
  return process.env.KRAFT_HOSTS_FILE ?? '/etc/hosts'
}

/** The text of a hosts file with our line for a name, or without one; lines of others stay as they are. */
export function withHostsLine(text: string, name: string, address: string | undefined): string {
  const own = new RegExp(`^\\S+\\s+${name.replaceAll('.', '\\.')}\\s+${mark}\\s*$`)
  const rows = text.split('\n').filter((row) => !own.test(row))
  while (rows.at(-1) === '') rows.pop()
  if (address !== undefined) rows.push(`${address} ${name} ${mark}`)
  return `${rows.join('\n')}\n`
}

/** Writes our line for a node, in place of an older one of ours, through sudo where that is needed. */
export async function writeHostsLine(name: string, address: string): Promise<void> {
  // A provider may know its node by a host name, which no hosts file can hold.
  if (isIP(address) === 0) return
  await replace((text) => withHostsLine(text, name, address))
}

/** Removes our line for a node, and all of ours for its address where that is given; anything else stays. */
export async function removeHostsLine(name: string, address?: string): Promise<void> {
  await replace((text) => {
    const names = [name, ...(address === undefined ? [] : namesOf(text, address))]
    return text.includes(mark) ? names.reduce((rest, each) => withHostsLine(rest, each, undefined), text) : text
  })
}

/** The names that lines of ours give to an address: a node's own, and the domain of a site on it. */
function namesOf(text: string, address: string): readonly string[] {
  const rows = text.split('\n').filter((row) => row.trimEnd().endsWith(mark))
  return rows.map((row) => row.split(/\s+/)).flatMap(([own, name]) => (own === address && name !== undefined ? [name] : []))
}

// Two nodes that are made at once would each write what it has read, and one line would be lost.
async function replace(change: (text: string) => string): Promise<void> {
  const folder = join(homedir(), '.kraftwerk')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await locked(join(folder, 'hosts'), () => rewrite(change))
}

async function rewrite(change: (text: string) => string): Promise<void> {
  const file = hostsFile()
  const before = await readFile(file, 'utf8')
  const after = change(before)
  if (after === before) return
  // In place and not renamed: in a container /etc/hosts is a mount of its own. The copy beside it is there if the write is cut.
  const script = 'cp -p "$1" "$1.kraft" && cat >"$1" && rm -f "$1.kraft"'
  const words = ['sh', '-c', script, 'sh', file]
  const [command = 'sh', ...args] =
    process.getuid?.() === 0 || process.env.KRAFT_HOSTS_FILE !== undefined ? words : ['sudo', ...words]
  const said = await feed(command, args, after)
  if (said === undefined) return
  const [old, now] = [before, after].map((text) => text.split('\n'))
  const line = now?.find((row) => old?.includes(row) !== true)
  const gone = old?.filter((row) => row !== '' && now?.includes(row) !== true)
  throw new KraftError({
    kind: 'task',
    message: `${file} could not be changed`,
    output: said,
    next: line === undefined ? `Take out of it: ${gone?.join('; ')}` : `Add this line to it: ${line}`,
  })
}

/** By stdin, because a hosts file that blocks advertising is longer than an argument may be. Returns what a failure said. */
async function feed(command: string, args: readonly string[], text: string): Promise<string | undefined> {
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  // A command that ends early has said why.
  child.stdin.on('error', () => undefined)
  child.stdin.end(text)
  try {
    const [code] = await once(child, 'close')
    return code === 0 ? undefined : said
  } catch (error) {
    return String(error)
  }
}
