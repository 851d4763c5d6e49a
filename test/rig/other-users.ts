import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { call, kraftProgram, type Ran } from './kraft.js'
import { ensurePackages } from './packages.js'

/** Users whom this machine does not have, outside of a room in which kraft runs for them. */
export interface OtherUsers {
  /** The home of one of them. */
  home(user: string): string
  /** Calls kraft as one of them, in the home, with no terminal. */
  kraft(user: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>
  /** Their /etc/hosts. */
  hosts(): Promise<string>
  /** Ends the room with all that runs in it. */
  stop(): Promise<void>
}

/**
 * Opens a room with these users, each with what sudoers says of it: `NOPASSWD: ALL`, or `ALL` for one whose sudo asks. The room is a mount
 * namespace whose /etc/passwd, /etc/hosts and sudoers are its own, so that this machine has neither the users nor their rights. sudo is
 * the real one, and allocates a terminal of its own, as that of Debian 13 does. Needs root.
 */
export async function otherUsers(users: Readonly<Record<string, string>>): Promise<OtherUsers> {
  await ensurePackages(['sudo'])
  const folder = await mkdtemp(join(tmpdir(), 'kraftwerk-users-'))
  await chmod(folder, 0o755)
  const file = (name: string) => join(folder, name)
  const names = Object.keys(users)
  const id = (name: string) => 28_400 + names.indexOf(name)
  const lines = (line: (name: string) => string) => names.map((name) => `${line(name)}\n`).join('')
  const own = async (path: string, more: string, mode: number) =>
    writeFile(file(path.replaceAll('/', '-')), (await readFile(path, 'utf8')) + more, { mode })
  await own(
    '/etc/passwd',
    lines((name) => `${name}:x:${id(name)}:${id(name)}::${file(name)}:/bin/sh`),
    0o644,
  )
  await own(
    '/etc/group',
    lines((name) => `${name}:x:${id(name)}:`),
    0o644,
  )
  await own(
    '/etc/shadow',
    lines((name) => `${name}:*:19000::::::`),
    0o640,
  )
  await writeFile(file('-etc-hosts'), '127.0.0.1 localhost\n')
  await mkdir(file('sudoers'), { mode: 0o750 })
  await writeFile(file('sudoers/users'), `Defaults use_pty\n${lines((name) => `${name} ALL=(ALL:ALL) ${users[name]}`)}`, {
    mode: 0o440,
  })
  // Where kraft and Node.js are may be for root alone.
  await mkdir(file('kraft'))
  await writeFile(file('node'), '')
  for (const name of names) {
    await mkdir(file(name), { mode: 0o700 })
    await promisify(execFile)('chown', [`${id(name)}:${id(name)}`, file(name)])
  }
  const root = dirname(dirname(kraftProgram))
  const room = spawn('unshare', ['--mount', 'sh', '-euc', furnish, folder, root, process.execPath], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(room.stdout, 'data')
  return {
    home: file,
    kraft(user, args, env = {}) {
      const given = { HOME: file(user), PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LANG: 'C.UTF-8', ...env }
      const as = ['setpriv', '--reuid', String(id(user)), '--regid', String(id(user)), '--clear-groups']
      const words = [
        '--target',
        String(room.pid),
        '--mount',
        `--wd=${file(user)}`,
        ...as,
        file('node'),
        join(folder, 'kraft/dist/kraft.js'),
        ...args,
      ]
      return call('nsenter', words, { cwd: '/', env: given })
    },
    hosts: () => readFile(file('-etc-hosts'), 'utf8'),
    async stop() {
      const ended = once(room, 'exit')
      room.stdin.end()
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const furnish = `
for each in passwd group shadow hosts; do mount --bind "$0/-etc-$each" "/etc/$each"; done
mount --bind "$0/sudoers" /etc/sudoers.d
mount --bind "$1" "$0/kraft"
mount --bind "$2" "$0/node"
echo ready
cat >/dev/null`
