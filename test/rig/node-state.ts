import type { Story } from './story-node.js'

/**
 * Everything on a node that a deploy could have left or changed, as text to compare: files with their owners, modes and link
 * targets, the content of settings, users, groups, databases and roles, services, processes. Contents of logs are left out.
 */
export function nodeState(story: Story, name: string): Promise<string> {
  return story.onNode(name, state)
}

/** What {@link nodeState} shows of a node on which nothing is left of any instance, beyond what it showed before the first. */
export async function leftBehind(story: Story, name: string, before: string): Promise<readonly string[]> {
  const lines = new Set(before.split('\n'))
  return (await nodeState(story, name))
    .split('\n')
    .filter((line) => !lines.has(line) && !stays.test(line) && !ofPackages.test(line))
}

// Packages and their settings are the node's and stay, as do folders that all instances share, and numbers of locks, which go on growing: an old deploy must not pass for a new one's.
const stays = /^(\/etc\/kraftwerk|\/run\/web(\/\.(trial|ends|cron))?|\/var\/lib\/kraftwerk\/locks(\/[\w.-]+)?) [df] /

const ofPackages =
  /\/etc\/nginx\/(kraftwerk( d|\/brotli\.conf)|modules-enabled\/\S*brotli)|\/etc\/postgresql\/\S+\/50-kraftwerk\.conf /

// A process that has ended and waits for its parent is nothing that is left. Times, sizes and process ids differ from run to run, as do the names of systemd's private folders.
const state = `
find /web /etc /run/web /run/kraftwerk /var/lib/kraftwerk /var/log/nginx /var/log/runit /usr/local /opt /home /root /tmp /var/tmp /dev/shm \\
  -xdev \\( -path '*/systemd-private-*' -o -path '/web/*/venvs/*/lib' -o -path '/etc/ssl' -o -path '*/supervise' -o -path '/dev/shm/PostgreSQL.*' \\) -prune \\
  -o ! -path '/run/kraftwerk/*' -printf '%p %y %M %u:%g %l\\n' 2>/dev/null | sort
find /etc/nginx /etc/kraftwerk /etc/sv /etc/logrotate.d -xdev -type f ! -path '*/supervise/*' -exec sha256sum {} + | sort -k 2
cut -d: -f1 /etc/passwd | sort | sed 's/^/user /'
sort /etc/group | cut -d: -f1,4 | sed 's/^/group /'
runuser -u postgres -- psql -XAtq -d postgres -c "SELECT 'database ' || datname FROM pg_database UNION ALL SELECT 'role ' || rolname FROM pg_roles ORDER BY 1"
ps -C gunicorn,runsv -o user:40=,args= | grep -v '<defunct>' | sort
`
