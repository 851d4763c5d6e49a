import type { NodeState } from '../../../engine/node/provider.js'
import { lines, type Sh, sh } from '../../../engine/shell/sh.js'
import { readClaims } from './claim.js'
import { listens } from './listens.js'
import { mirrorsDown } from './mirrors.js'
import type { NodeNames, State } from './names.js'
import { bridgeDown, cableDown } from './network.js'
import { runs } from './process.js'
import { template } from './template.js'

// Shell functions: whether the process whose pid is in a file has a word in its command line; all pids in a node's cgroups.
const functions = sh`
  runs() {
    pid=$(cat "$1" 2>/dev/null) && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -e "$2"
  }
  groups() {
    for each in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
      [ ! -d "$each/$1" ] || find "$each/$1" -depth -type d 2>/dev/null || :
    done
  }
  sweep() {
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      pids=$(for each in $(groups "$1"); do cat "$each/cgroup.procs" 2>/dev/null || :; done)
      [ -n "$pids" ] || return 0
      kill -KILL $pids 2>/dev/null || :
      sleep 0.05
    done
  }`

/** Script: the node's PID 1 runs below a supervisor that outlives kraft. One that runs already is left alone. */
export async function machineUp(node: NodeNames): Promise<Sh> {
  const supervise = template('supervise.sh', { name: node.name, id: node.id, run: node.run, folder: node.folder })
  // The default of 128 is spent by about 20 systemds.
  return lines(
    functions,
    sh`
      if [ "$(cat /proc/sys/fs/inotify/max_user_instances)" -lt 8192 ]; then echo 8192 >/proc/sys/fs/inotify/max_user_instances; fi
      for each in /sys/fs/cgroup /sys/fs/cgroup/unified; do
        # A snapshot that was killed leaves a node that stands still.
        [ ! -e "$each"/${node.id}/cgroup.freeze ] || echo 0 >"$each"/${node.id}/cgroup.freeze
      done
      if ! runs ${node.run}/pid =${node.id} && ! runs ${node.run}/supervisor ${node.folder}/supervise; then
        sweep ${node.id}
        install -d -m 755 ${node.run}
        rm -f ${node.run}/pid
        printf %s ${supervise} >${node.folder}/supervise
        setsid sh ${node.folder}/supervise </dev/null >${node.folder}/console 2>&1 9>&- &
        echo $! >${node.run}/supervisor
        for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
          [ ! -s ${node.run}/pid ] || break
          sleep 0.02
        done
      fi`,
  )
}

/** Script: the node is off and its files are not mounted. As sudden as a power cut. */
export function machineOff(node: NodeNames): Sh {
  return lines(
    functions,
    sh`
      if runs ${node.run}/supervisor ${node.folder}/supervise; then kill "$pid" 2>/dev/null || :; fi
      sweep ${node.id}/payload
      for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        runs ${node.run}/pid =${node.id} || break
        sleep 0.05
      done
      sweep ${node.id}
      for try in 1 2 3 4 5 6 7 8 9 10; do
        mountpoint -q ${node.folder}/root || break
        umount ${node.folder}/root 2>/dev/null || sleep 0.1
      done
      if mountpoint -q ${node.folder}/root; then umount -l ${node.folder}/root; fi`,
  )
}

/**
 * Script: nothing is left of a node, however far it had come; with the last one, of what the nodes of the state share either.
 * As sudden as a power cut: what it kept is deleted anyway.
 */
export function machineDown(state: State, node: NodeNames): Sh {
  return lines(
    machineOff(node),
    cableDown(node.id),
    sh`
      for each in $(groups ${node.id}); do rmdir "$each" 2>/dev/null || :; done
      rm -rf --one-file-system ${node.folder} ${node.run}
      rm -f ${state.root}/addresses/${node.octet}
      if [ -z "$(ls ${state.root}/addresses 2>/dev/null)" ]; then`,
    mirrorsDown(state),
    bridgeDown(state),
    sh`fi`,
  )
}

/** How a node is now, found out without root and without changing it. */
export async function machineState(state: State, node: NodeNames): Promise<NodeState> {
  if ((await readClaims(state)).get(node.octet) !== node.name) return 'missing'
  if (await runs(`${node.run}/pid`, `=${node.id}`)) {
    return (await listens(node.address, 22, { timeout: 0, greeting: 'SSH-' })) ? 'running' : 'starting'
  }
  return (await runs(`${node.run}/supervisor`, `${node.folder}/supervise`)) ? 'starting' : 'stopped'
}
