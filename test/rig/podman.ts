import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sh } from '../../engine/shell/sh.js'
import { buildImage, imageName } from '../../recipes/providers/local/image.js'
import { asRoot } from '../../recipes/providers/local/root.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import { ensurePackages } from './packages.js'

const execute = promisify(execFile)
const base = 'docker.io/library/debian:bookworm-slim'

/**
 * Makes podman usable on a machine without a registry: containers and images are in a folder of the tests' own, and the base image is
 * the file system of the local nodes under the name of Debian's. Images stay for the next run. Gives the variables that say so.
 */
export async function preparePodman(): Promise<Readonly<Record<string, string>>> {
  await ensurePackages(['podman', 'crun', 'netavark', 'aardvark-dns', 'iptables'])
  const state = stateFrom(process.env)
  const folder = `${state.root}/podman`
  await asRoot(
    'Let crun manage cgroups',
    // crun wants no controller in cgroup2 where the others are in cgroup1.
    sh`
      install -d -m 700 ${folder}
      if [ -s /sys/fs/cgroup/unified/cgroup.controllers ] && [ ! -d /sys/fs/cgroup/hugetlb ]; then
        mkdir /sys/fs/cgroup/hugetlb
        mount -t cgroup -o hugetlb hugetlb /sys/fs/cgroup/hugetlb
      fi`,
  )
  await mkdir(folder, { recursive: true })
  const storage = join(folder, 'storage.conf')
  await writeFile(storage, `[storage]\ndriver = "overlay"\ngraphroot = "${folder}/graph"\nrunroot = "${folder}/run"\n`)
  const environ = { CONTAINERS_STORAGE_CONF: storage }
  const env = { ...process.env, ...environ }
  const isThere = await execute('podman', ['image', 'inspect', base], { env }).then(
    () => true,
    () => false,
  )
  if (!isThere) {
    await buildImage(state, 'bookworm', () => undefined)
    const root = `${state.root}/images/${imageName('bookworm')}`
    await execute('sh', ['-c', 'tar -C "$0" -c . | podman import --quiet - "$1"', root, base], { env })
  }
  return environ
}
