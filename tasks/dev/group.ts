import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { signalGroup } from '../../engine/shell/signal-group.js'

/** Milliseconds between two looks at whether a group is gone. */
const interval = 40

/** Milliseconds that the kernel may take for those that were killed. */
const dying = 2000

/** Ends all that is in a process group: TERM, and KILL after so many seconds for what is left. */
export async function endGroup(group: number, patience: number): Promise<void> {
  if (!signalGroup(group, 'SIGTERM') || (await isGone(group, patience * 1000))) return
  signalGroup(group, 'SIGKILL')
  await isGone(group, dying)
}

async function isGone(group: number, limit: number): Promise<boolean> {
  for (const start = performance.now(); performance.now() - start < limit; await pause(interval)) {
    if (!(await isAlive(group))) return true
  }
  return !(await isAlive(group))
}

// In a container the first process may never see to those that have ended, and a signal reaches them all the same.
async function isAlive(group: number): Promise<boolean> {
  if (!signalGroup(group, 0)) return false
  if (process.platform !== 'linux') return true
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')))
  return stats.some((stat) => {
    // The name before may have blanks and brackets.
    const [state = '', , own] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(own) === group && !'ZX'.includes(state)
  })
}

/** Knows which groups run, and ends them should kraft itself be killed. */
export interface Guard {
  add(group: number): void
  remove(group: number): void
  /** It has nothing more to do. */
  end(): void
}

// Its input ends when kraft does, in whatever way.
const watcher = `groups=' '
while read -r word group; do
  case $word in
    add) groups="$groups$group " ;;
    remove) groups=$(printf '%s' "$groups" | sed "s/ $group / /") ;;
  esac
done
[ "$groups" != ' ' ] || exit 0
for group in $groups; do kill -TERM "-$group" 2>/dev/null; done
sleep 3
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
`

/** Starts a {@link Guard}: a shell of a session of its own, so that neither Ctrl-C nor a terminal that closes reaches it. */
export function startGuard(): Guard {
  const child = spawn('/bin/sh', ['-c', watcher], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  // Without it the project runs all the same.
  child.on('error', () => undefined)
  child.stdin.on('error', () => undefined)
  child.unref()
  return {
    add: (group) => void child.stdin.write(`add ${group}\n`),
    remove: (group) => void child.stdin.write(`remove ${group}\n`),
    end: () => void child.stdin.end(),
  }
}
