import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Story } from './story-node.js'

/**
 * Every file of a node with its owner, mode, size and the time of its last change of any kind, and every user, process of a
 * service and role, as text to compare. Left out: what servers write by themselves while nobody does anything.
 */
export function wholeNode(story: Story, name: string): Promise<string> {
  return story.onNode(name, look)
}

const look = `
find / -xdev \\( ${['/proc', '/sys', '/dev', '/var/log', '/var/lib/postgresql', '/var/lib/redis', '/var/lib/systemd', '/var/tmp/systemd-private-*', '/tmp/systemd-private-*', '*/supervise', '/web/*/log'].map((path) => `-path '${path}'`).join(' -o ')} \\) -prune \\
  -o ! -path /run ! -path /tmp ! -path /var/tmp ! -path /root -printf '%p %y %M %U:%G %s %l %C@\\n' | sort
find /run/web /run/service /etc/service/ -printf '%p %y %M %U:%G %l\\n' 2>/dev/null | grep -v /supervise | sort
nft list ruleset 2>/dev/null | grep -v counter || :
systemctl list-units --type service --state running --no-legend --plain | cut -d' ' -f1 | grep -Ev '^(systemd-|apt-|user@|user-)' | sort
if command -v psql >/dev/null; then
  runuser -u postgres -- psql -XAtq -d postgres -c "SELECT 'database ' || datname FROM pg_database UNION ALL SELECT 'role ' || rolname FROM pg_roles ORDER BY 1"
fi
ps -C gunicorn -o pid=,args= | sort
`

// The folder of kraft itself is younger after each of its caches.
const caches = /(^|\/)(\.cache|\.npm)(\/|$)|^\.kraftwerk(\/(cache|warm)(\/|$)|$)/

/** Every file below a folder here with its mode, size, time of change and content's hash; caches are left out. */
export async function wholeFolder(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => !caches.test(name)).sort()
  const rows = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name)
      const { mode, size, mtimeMs } = await lstat(path)
      const kind = mode & 0o170000
      const content = kind === 0o100000 ? hash(await readFile(path)) : kind === 0o120000 ? await readlink(path) : ''
      return [name, mode.toString(8), size, mtimeMs, content].join(' ')
    }),
  )
  return rows.join('\n')
}

function hash(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
