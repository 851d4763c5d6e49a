import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { freeMemory } from '../../recipes/memory.js'
import { call } from '../rig/kraft.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-memory-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const megabytes = (count: number) => String(count * 1048576)
// As the kernel says it where there is no limit.
const none = '9223372036854771712'

/** What is free on a node with 4000 MB of memory and 500 MB of swap, and with these files of cgroups. */
async function freeWith(groups: Readonly<Record<string, string>>): Promise<string> {
  const files = {
    meminfo: 'MemTotal: 9000000 kB\nMemAvailable: 4096000 kB\nSwapFree: 512000 kB\n',
    'fs/cgroup/memory.stat': '',
    ...groups,
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), `${text}\n`)
  }
  const here = freeMemory.text.replaceAll('/sys/fs', join(folder, 'fs')).replaceAll('/proc/meminfo', join(folder, 'meminfo'))
  const script = `systemctl() { echo /system.slice/runit.service; }\n${here}\necho "$memory $swap"`
  const { stdout, stderr } = await call('sh', ['-ec', script], { cwd: folder, env: process.env })
  expect(stderr).toBe('')
  return stdout.trim()
}

it('memory is what the machine has where no group has a limit', async () => {
  expect(await freeWith({})).toBe('4000 500')
  expect(
    await freeWith({
      'fs/cgroup/system.slice/memory.max': 'max',
      'fs/cgroup/system.slice/memory.current': megabytes(3000),
      'fs/cgroup/memory/memory.limit_in_bytes': none,
      'fs/cgroup/memory/memory.usage_in_bytes': megabytes(3000),
      'fs/cgroup/memory/memory.stat': 'inactive_file 1\ntotal_inactive_file 1',
      'fs/cgroup/memory/memory.memsw.limit_in_bytes': none,
      'fs/cgroup/memory/memory.memsw.usage_in_bytes': megabytes(3000),
    }),
  ).toBe('4000 500')
})

it('memory and swap are what a group above the supervisor leaves, and files in memory make room', async () => {
  const group = 'fs/cgroup/system.slice'
  expect(
    await freeWith({
      [`${group}/memory.max`]: megabytes(300),
      [`${group}/memory.current`]: megabytes(280),
      [`${group}/memory.stat`]: `anon 1\ninactive_file ${megabytes(15)}\nactive_file ${megabytes(10)}\nslab_reclaimable ${megabytes(5)}`,
      [`${group}/memory.swap.max`]: megabytes(100),
      [`${group}/memory.swap.current`]: megabytes(60),
    }),
  ).toBe('50 40')
})

// A container sees its own group as the root of the tree.
it('memory in a container of cgroups version 1 is what its limit leaves, of memory alone and with swap', async () => {
  const group = 'fs/cgroup/memory'
  const limited = {
    [`${group}/memory.limit_in_bytes`]: megabytes(300),
    [`${group}/memory.usage_in_bytes`]: megabytes(280),
    // Its own, and with all groups below it.
    [`${group}/memory.stat`]: `inactive_file ${megabytes(1)}\nactive_file 0\ntotal_inactive_file ${megabytes(20)}\ntotal_active_file ${megabytes(10)}`,
  }
  // Where swap is not accounted, these two are missing.
  expect(await freeWith(limited)).toBe('50 500')
  const together = { [`${group}/memory.memsw.usage_in_bytes`]: megabytes(300) }
  expect(await freeWith({ ...limited, ...together, [`${group}/memory.memsw.limit_in_bytes`]: megabytes(350) })).toBe('50 30')
  expect(await freeWith({ ...limited, ...together, [`${group}/memory.memsw.limit_in_bytes`]: megabytes(300) })).toBe('30 0')
})
