import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Installs the Debian packages that a test needs, where they are missing; nothing happens where they are there. Test files
 * that ask at the same time wait for each other. No service that a package brings is started.
 *
 * @example await ensurePackages(['openssh-server'])
 */
export async function ensurePackages(packages: readonly string[]): Promise<void> {
  if ((await missing(packages)).length === 0) return
  const root = process.getuid?.() === 0
  const lock = join(tmpdir(), 'kraftwerk-test-packages.lock')
  const command = ['flock', lock, 'sh', '-euc', install, 'install', ...packages]
  try {
    await run(root ? 'flock' : 'sudo', root ? command.slice(1) : ['-n', ...command], { maxBuffer: 64 << 20 })
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    throw new Error(`These tests need the Debian packages ${packages.join(', ')}, and installing them failed:\n${said}`)
  }
}

async function missing(packages: readonly string[]): Promise<string[]> {
  const states = await Promise.all(packages.map(installed))
  return packages.filter((_, index) => !states[index])
}

async function installed(name: string): Promise<boolean> {
  return run('dpkg', ['-s', name]).then(
    ({ stdout }) => stdout.includes('\nStatus: install ok installed\n'),
    () => false,
  )
}

// Debian starts what it installs unless policy-rc.d says 101; ours bears a mark, so that a crashed run's is taken away again.
const install = `
policy=/usr/sbin/policy-rc.d
mark='# kraftwerk tests'
tidy() { if [ -f "$policy" ] && grep -qxF "$mark" "$policy"; then rm -f "$policy"; fi; }
tidy
all=yes
for name in "$@"; do
  [ "$(dpkg-query -W -f '\${Status}' "$name" 2>/dev/null)" = 'install ok installed' ] || all=no
done
[ "$all" = no ] || exit 0
if [ ! -e "$policy" ]; then
  trap tidy EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '#!/bin/sh\\n%s\\nexit 101\\n' "$mark" >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -qy -o DPkg::Lock::Timeout=300 --no-install-recommends install "$@"
`
