import { type Sh, sh } from '../../engine/shell/sh.js'
import type { State } from '../../recipes/providers/local/names.js'
import { asRoot } from '../../recipes/providers/local/root.js'

/** What a login of root has in its environment. */
const environ = [
  'HOME=/root',
  'USER=root',
  'LOGNAME=root',
  'SHELL=/bin/bash',
  'LANG=C.UTF-8',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
]

/**
 * Runs POSIX sh text inside a local node as its root and returns what it prints. It comes from this machine, past SSH: that costs a
 * tenth of what a call of kraft does, and works where no login would. Throws a KraftError with what it said where it fails.
 */
export async function insideNode({ root }: State, name: string, script: string): Promise<string> {
  return (await asRoot(`Look inside ${name}`, entering(root, name, script))).stdout
}

// What is kept is the pid of systemd-nspawn, and the node's PID 1 its child, once that has a pid namespace of its own. Among the
// cgroups of the node it ends with the node. A shell waits for what runs inside, since nsenter would stop with it: a shutdown
// first stops all and then kills, and waits for what was killed to be reaped.
function entering(root: string, name: string, script: string): Sh {
  return sh`
    first=$(pgrep -P "$(cat ${root}/run/${name}/pid)")
    [ "$(readlink "/proc/$first/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] || { echo 'still starts' >&2; exit 1; }
    group=$(sed -n 's/^0:://p' "/proc/$first/cgroup")
    for each in /sys/fs/cgroup /sys/fs/cgroup/unified; do
      [ ! -e "$each$group/cgroup.procs" ] || echo $$ >"$each$group/cgroup.procs"
    done
    exec nsenter --no-fork -t "$first" -m -u -i -n -p -C -r -w \
      sh -c '"$@"; exit "$?"' sh env -i ${environ} sh -ec ${`cd\n${script}`}`
}
