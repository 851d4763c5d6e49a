import { describe, expect, it } from 'vitest'
import { preflight } from '../../recipes/preflight.js'
import { runSteps } from '../rig/run-steps.js'

// A root of its own in memory, with this machine's programs: 400 MB, in which /web and /var can be file systems of their own.
const root = `
mount -t tmpfs -o size=400m,nr_inodes=25000 tmpfs /mnt
cd /mnt
mkdir proc usr etc tmp dev web var
for each in bin sbin lib lib64; do if [ -e /$each ]; then ln -s usr/$each $each; fi; done
for each in proc usr etc dev; do mount --rbind /$each $each; done
`
const tmpfs = (path: string, megabytes: number, inodes: number) =>
  `mount -t tmpfs -o size=${megabytes}m,nr_inodes=${inodes} tmpfs ${path}\n`

const looks = preflight('one', new Date()).filter(({ title }) => title.startsWith('Room'))

/** What the looks at the disk say on a node whose disks were made by a script in its root. */
async function said(disks: string): Promise<string> {
  const ended = await runSteps(looks, { command: ['unshare', '-m', 'sh', '-euc', `${root}${disks}exec chroot . sh -s`] })
  return ended.flatMap(({ status, output }) => (status === 'ok' ? [] : [output.split('\n').at(-1)])).join()
}

describe('room for a deploy', () => {
  it('is there on one disk, and on three', async () => {
    expect(await said('')).toBe('')
    expect(await said(tmpfs('web', 300, 25_000) + tmpfs('var', 70, 2500))).toBe('')
  })

  it.each([
    ['/web', 'of its own and small', '256 MB and 20,000 inodes', tmpfs('web', 200, 25_000)],
    ['/web', 'of its own with few inodes', '256 MB and 20,000 inodes', tmpfs('web', 300, 19_000)],
    ['/web', 'of the root and full', '256 MB and 20,000 inodes', 'head -c 200M /dev/zero >fill\n'],
    ['/', 'full', '64 MB and 2,000 inodes', `${tmpfs('web', 300, 25_000)}head -c 350M /dev/zero >fill\n`],
    ['/var', 'of its own and small', '64 MB and 2,000 inodes', tmpfs('var', 60, 2500)],
    ['/var', 'of its own with few inodes', '64 MB and 2,000 inodes', tmpfs('var', 70, 1900)],
  ])('is missed on %s, where that is %s: %s', async (path, _, wanted, disks) => {
    expect(await said(disks)).toBe(`A deploy wants ${wanted} free on ${path}`)
  })
})
