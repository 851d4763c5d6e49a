import { dirname } from 'node:path'
import { lines, type Sh, sh } from '../../../engine/shell/sh.js'
import { aptSettings } from './apt-settings.js'
import { gateway, type NodeNames, ports, type State } from './names.js'
import { explain } from './root.js'
import { settleRestore } from './snapshot.js'
import { template } from './template.js'

/** Script: a node's file system is mounted, its own changes over the image that it was made from. */
export function filesUp(state: State, node: NodeNames): Sh {
  const root = `${node.folder}/root`
  // "volatile" makes fsync free. A node that is killed loses nothing; what a crash of this machine loses is a trial's data.
  return sh`
    if ! mountpoint -q ${root}; then
      ${settleRestore(node)}
      install -d -m 755 ${node.folder}/upper ${node.folder}/work ${root}
      rm -rf ${node.folder}/work/work/incompat
      image=${state.root}/images/$(cat ${node.folder}/image)
      [ -d "$image" ] || ${explain(
        `The image of the node ${node.name} is gone from ${state.root}/images`,
        `Remove the node, and make it anew: kraft terminate:${node.name}`,
      )}
      layers=lowerdir=$image,upperdir=${node.folder}/upper,workdir=${node.folder}/work
      mount -t overlay ${node.id} -o "volatile,$layers" ${root} 2>/dev/null ||
        mount -t overlay ${node.id} -o "$layers" ${root} ||
        ${explain(`overlayfs can't keep files in ${state.root}`, 'Set KRAFT_LOCAL_STATE to a folder on ext4, xfs or btrfs')}
    fi`
}

/** What a node is made with. */
export interface Making {
  readonly image: string
  readonly publicKey: string
  readonly user: string
}

/**
 * Script: a node's files are its own (name, host key, login), unless they are already. A node that was made with another login
 * is refused.
 */
export async function personalise(state: State, node: NodeNames, { image, publicKey, user }: Making): Promise<Sh> {
  const root = `${node.folder}/root`
  const mirror = { gateway: gateway(state), port: ports.pip }
  const files = [
    { at: '/etc/hostname', text: `${node.name}\n` },
    { at: '/etc/hosts', text: template('hosts', { address: node.address, name: node.name }) },
    {
      at: '/etc/apt/apt.conf.d/01kraftwerk',
      text: template('apt.conf', {
        gateway: gateway(state),
        port: ports.apt,
        settings: await aptSettings(['Acquire::Check-Valid-Until']),
      }),
    },
    { at: '/etc/pip.conf', text: template('pip.conf', mirror) },
    { at: '/etc/uv/uv.toml', text: template('uv.toml', mirror) },
  ]
  const key = publicKey.trim()
  const login = loginOf(user, publicKey)
  return lines(
    sh`
      install -d -m 700 ${node.folder}
      if [ -e ${node.folder}/made ]; then
        [ "$(cat ${node.folder}/made)" = ${login} ] || ${explain(
          `A local node ${node.name} exists that was made with another key or user`,
          `Take another name, or remove that node first: kraft terminate:${node.name}`,
        )}
      else
        # What a killed run left may be of another image.
        ! mountpoint -q ${root} || umount ${root}
        rm -rf --one-file-system ${node.folder}/upper ${node.folder}/work
        echo ${image} >${node.folder}/image
      fi`,
    filesUp(state, node),
    sh`if [ ! -e ${node.folder}/made ]; then`,
    ...files.map(({ at, text }) => sh`install -d ${root}${dirname(at)}; printf %s ${text} >${root}${at}`),
    sh`
      tr -d - </proc/sys/kernel/random/uuid >${root}/etc/machine-id
      rm -f ${root}/etc/ssh/ssh_host_*
      ssh-keygen -q -N '' -C root@${node.name} -t ed25519 -f ${root}/etc/ssh/ssh_host_ed25519_key
      cp ${root}/etc/ssh/ssh_host_ed25519_key.pub ${node.folder}/host_keys
      install -d -m 700 ${root}/root/.ssh
      echo ${key} >${root}/root/.ssh/authorized_keys
      chmod 600 ${root}/root/.ssh/authorized_keys`,
    user === 'root' ? undefined : sudoer(root, user),
    sh`
      echo ${login} >${node.folder}/made
      fi`,
  )
}

/** What a node was made for: user and key, by which a second run knows that it is the same wish. */
export function loginOf(user: string, publicKey: string): string {
  return `${user} ${publicKey.trim().split(/\s+/).slice(0, 2).join(' ')}`
}

/** Script: the login of a node whose files are below `root` is a user with sudo that asks for no password. */
export function sudoer(root: string, user: string): Sh {
  return sh`
    chroot ${root} id -u ${user} >/dev/null 2>&1 || chroot ${root} useradd -m -s /bin/bash ${user}
    cp -r ${root}/root/.ssh ${root}/home/${user}/
    chroot ${root} chown -R ${user}: /home/${user}/.ssh
    echo ${`${user} ALL=(ALL) NOPASSWD:ALL`} >${root}/etc/sudoers.d/90-kraftwerk
    chmod 440 ${root}/etc/sudoers.d/90-kraftwerk`
}
