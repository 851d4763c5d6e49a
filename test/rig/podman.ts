import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sh } from '../../engine/shell/sh.js'
import { asRoot } from '../../recipes/providers/local/root.js'
import { stateFrom } from '../../recipes/providers/local/state.js'
import { importBase, type Prepared } from './container-base.js'
import { ensurePackages } from './packages.js'

/**
 * Makes podman usable on a machine without a registry: containers and images are in a folder of the tests' own, and the base image is
 * the file system of the local nodes under the name of Debian's. Images stay for the next run.
 */
export async function preparePodman(): Promise<Prepared> {
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
  await importBase('podman', environ)
  return { environ, stop: async () => undefined }
}
