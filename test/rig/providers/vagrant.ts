import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Writes a program `vagrant` that says what Vagrant 2.4 does (`status --machine-readable`, `ssh-config`), and whose machine is an sshd
 * of a test. What stands for the machine's files is in `machine`, below `etc/ssh` and `home`. Gives the folder for PATH.
 */
export async function fakeVagrant(folder: string, machine: string, port: number): Promise<string> {
  const bin = join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  await mkdir(join(machine, 'home'), { recursive: true })
  await mkdir(join(machine, 'etc/ssh'), { recursive: true })
  await writeFile(join(bin, 'vagrant'), program(machine, port))
  await chmod(join(bin, 'vagrant'), 0o755)
  return bin
}

const program = (machine: string, port: number) => `#!/bin/sh
set -e
echo "$*" >>'${machine}/called'
[ -e Vagrantfile ] || { echo 'A Vagrant environment or target machine is required to run this' >&2; exit 1; }
state=$(cat .vagrant/state 2>/dev/null || echo not_created)
case $1 in
  up)
    [ ! -e '${machine}/broken' ] || { mkdir -p .vagrant; echo aborted >.vagrant/state; echo 'The box could not be found.' >&2; exit 1; }
    mkdir -p .vagrant
    echo running >.vagrant/state
    echo "==> default: Machine booted and ready!" ;;
  status)
    printf '1764385200,default,metadata,provider,virtualbox\\n1764385200,default,provider-name,virtualbox\\n'
    printf '1764385200,default,state,%s\\n1764385200,default,state-human-short,%s\\n' "$state" "$state"
    printf '1764385200,,ui,info,Current machine states:%%!(VAGRANT_COMMA)\\n' ;;
  ssh-config)
    printf 'Host default\\n  HostName 127.0.0.1\\n  User vagrant\\n  Port ${port}\\n  UserKnownHostsFile /dev/null\\n'
    printf '  IdentityFile "/home/me/a b/private_key"\\n  IdentitiesOnly yes\\n  LogLevel FATAL\\n' ;;
  ssh)
    [ "$2" = -c ]
    HOME='${machine}/home' sh -c "$(printf %s "$3" | sed 's,/etc/ssh/,${machine}/etc/ssh/,g')" | sed 's/$/\\r/' ;;
  destroy)
    [ "$2" = --force ]
    rm -r .vagrant ;;
  *) exit 64 ;;
esac
`
