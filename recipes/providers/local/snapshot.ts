import { KraftError } from '../../../engine/errors/failure.js'
import type { Snapshot } from '../../../engine/node/provider.js'
import { lines, type Sh, sh } from '../../../engine/shell/sh.js'
import type { NodeNames, State } from './names.js'
import { explain } from './root.js'

// A snapshot is a folder with all that makes the node: what differs from its image, the image's name, its login, its host keys.
const copied = ['image', 'made']
const parts = [...copied, 'host_keys']

const folderOf = (node: NodeNames) => `${node.folder}/snapshots`

/** Refuses a name that can't be a snapshot's. Throws a KraftError. */
export function checkSnapshotName(name: string): void {
  if (/^[A-Za-z0-9][\w.-]{0,62}$/.test(name)) return
  throw new KraftError({
    kind: 'usage',
    message: `A snapshot can't be called "${name}"`,
    next: 'Use letters, digits, dots, dashes and underscores, 63 at the most, and begin with a letter or a digit.',
  })
}

/** What is wrong, and what to do, where a name is taken. */
export function taken(node: string, name: string): [message: string, next: string] {
  return [
    `There is a snapshot ${name} of ${node} already`,
    `Take another name, or delete it: kraft snapshots:${node} delete ${name}`,
  ]
}

/** The same where there is none of that name. */
export function absent(node: string, name: string): [message: string, next: string] {
  return [`There is no snapshot ${name} of ${node}`, `See which there are: kraft snapshots:${node}`]
}

/** Script: prints name, time (seconds) and size (bytes) of each snapshot of a node. */
export function listSnapshots(node: NodeNames): Sh {
  return sh`
    for each in ${folderOf(node)}/*/taken; do
      [ ! -e "$each" ] || echo "$(basename "$(dirname "$each")") $(cat "$each")"
    done`
}

/**
 * Script: keeps a node's files under a name. All of its processes stand still meanwhile, so that the copy is of one instant: what a
 * power cut would leave, from which databases recover by themselves. They go on whatever happens to the copy. `hostKeys` are those that
 * kraft knows it by.
 */
export function takeSnapshot(node: NodeNames, name: string, hostKeys: readonly string[]): Sh {
  const fresh = `${folderOf(node)}/.new`
  return sh`
    [ ! -e ${folderOf(node)}/${name} ] || ${explain(...taken(node.name, name))}
    install -d -m 700 ${folderOf(node)}
    frozen=
    for each in /sys/fs/cgroup /sys/fs/cgroup/unified; do
      if [ -e "$each"/${node.id}/cgroup.freeze ]; then frozen=$each/${node.id}; fi
    done
    thaw() { [ -z "$frozen" ] || echo 0 >"$frozen/cgroup.freeze"; }
    trap 'thaw; rm -rf --one-file-system ${fresh}' EXIT
    trap 'exit 1' HUP INT TERM
    rm -rf --one-file-system ${fresh}
    install -d -m 700 ${fresh}
    if [ -n "$frozen" ]; then
      echo 1 >"$frozen/cgroup.freeze"
      for try in $(seq 200); do
        ! grep -q 'frozen 1' "$frozen/cgroup.events" || break
        sleep 0.05
      done
      grep -q 'frozen 1' "$frozen/cgroup.events" || ${explain(
        `The processes of ${node.name} would not stand still for ten seconds; nothing was kept`,
        `Try again once it has less to do: kraft snapshot:${node.name}`,
      )}
    elif [ -s ${node.run}/pid ] && [ -e "/proc/$(cat ${node.run}/pid)" ]; then
      ${explain(
        `The kernel of this machine can't freeze the processes of a node (cgroup.freeze, Linux 5.2)`,
        `Take it while the node is off: its poweroff, then kraft snapshot:${node.name}`,
      )}
    fi
    time=$(date +%s)
    cp -a --reflink=auto ${node.folder}/upper ${fresh}/upper
    thaw
    frozen=
    cp -p ${copied.map((part) => `${node.folder}/${part}`)} ${fresh}/
    printf '%s\n' ${hostKeys} >${fresh}/host_keys
    echo "$time $(du -sx --block-size=1 ${fresh} | cut -f 1)" >${fresh}/taken
    sync -f ${fresh}
    mv -T ${fresh} ${folderOf(node)}/${name}
    cat ${folderOf(node)}/${name}/taken`
}

/** Script: refuses where a snapshot or the image below it isn't there, and copies it beside the node's files. The node may run. */
export function prepareRestore(state: State, node: NodeNames, name: string): Sh {
  const snapshot = `${folderOf(node)}/${name}`
  const fresh = `${node.folder}/restored.new`
  return sh`
    [ -e ${snapshot}/taken ] || ${explain(...absent(node.name, name))}
    [ -d ${state.root}/images/"$(cat ${snapshot}/image)" ] || ${explain(
      `The image below the snapshot ${name} is gone from ${state.root}/images; the node was left as it is`,
      `It can't be put back; another one may be: kraft snapshots:${node.name}`,
    )}
    trap 'rm -rf --one-file-system ${fresh}' EXIT
    trap 'exit 1' HUP INT TERM
    rm -rf --one-file-system ${fresh}
    install -d -m 700 ${fresh}
    cp -a --reflink=auto ${['upper', ...parts].map((part) => `${snapshot}/${part}`)} ${fresh}/`
}

/** Script: after {@link prepareRestore}, with the node off, decides for the snapshot. What is left to do {@link settleRestore} does. */
export function decideRestore(node: NodeNames): Sh {
  return lines(
    settleRestore(node),
    sh`
      sync -f ${node.folder}/restored.new
      mv -T ${node.folder}/restored.new ${node.folder}/restored`,
    settleRestore(node),
  )
}

/** Script: a restore that was decided is finished, wherever it was cut short. The node's files must not be mounted. */
export function settleRestore(node: NodeNames): Sh {
  const { folder } = node
  return sh`
    if [ -d ${folder}/restored ]; then
      if [ -d ${folder}/restored/upper ]; then
        rm -rf --one-file-system ${folder}/upper
        mv -T ${folder}/restored/upper ${folder}/upper
      fi
      rm -rf --one-file-system ${folder}/work
      for each in ${parts}; do
        [ ! -e ${folder}/restored/"$each" ] || mv ${folder}/restored/"$each" ${folder}/"$each"
      done
      rmdir ${folder}/restored
    fi`
}

/** Script: a snapshot is gone. One that is cut short is no longer in the list. */
export function forgetSnapshot(node: NodeNames, name: string): Sh {
  const snapshot = `${folderOf(node)}/${name}`
  return sh`
    [ -e ${snapshot}/taken ] || ${explain(...absent(node.name, name))}
    rm -f ${snapshot}/taken
    rm -rf --one-file-system ${snapshot}`
}

/** Reads what {@link listSnapshots} prints, the newest first. */
export function parseSnapshots(text: string): Snapshot[] {
  return text
    .split('\n')
    .filter((row) => row !== '')
    .map((row) => {
      const [name = '', seconds, size] = row.split(' ')
      return { name, time: new Date(Number(seconds) * 1000).toISOString(), size: Number(size) }
    })
    .sort((a, b) => (a.time < b.time ? 1 : -1))
}
