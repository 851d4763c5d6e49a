import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Shell } from 'zx/core'
import { type Shells, startShells } from '../../rig/shells.js'

let shells: Shells
let $: Shell
let here: Shell

beforeAll(async () => {
  shells = await startShells()
  ;({ $, here } = shells)
})
afterAll(() => shells.stop())

/** Runs `work` and returns by how many bytes the memory of this process grew at the most. */
async function growth(work: () => PromiseLike<unknown>): Promise<number> {
  const before = process.memoryUsage().rss
  let most = before
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss)
  }, 20)
  await work()
  clearInterval(timer)
  return most - before
}

// More than what sshd sends with one key and than a string of Node.js can hold.
const bytes = 1_200_000_000
const little = 200_000_000

describe('more than a gigabyte passes in flat memory', { timeout: 180_000 }, () => {
  it('from the node to this machine', async () => {
    let counted = ''
    const grown = await growth(async () => {
      counted = (await $`head -c ${bytes} /dev/zero`.pipe(here`wc -c`)).stdout.trim()
    })
    expect(counted).toBe(String(bytes))
    expect(grown).toBeLessThan(little)
  })

  it('from this machine to the node', async () => {
    let counted = ''
    const grown = await growth(async () => {
      counted = (await here`head -c ${bytes} /dev/zero`.pipe($`wc -c`)).stdout.trim()
    })
    expect(counted).toBe(String(bytes))
    expect(grown).toBeLessThan(little)
  })

  it('from a command of the node to another one', async () => {
    let counted = ''
    const grown = await growth(async () => {
      counted = (await $`head -c ${bytes / 4} /dev/zero`.pipe($`wc -c`)).stdout.trim()
    })
    expect(counted).toBe(String(bytes / 4))
    expect(grown).toBeLessThan(little)
  })
})

it('lines are read at the pace of whoever reads them, and not kept', async () => {
  let lines = 0
  const grown = await growth(async () => {
    for await (const line of $`seq -f ${'%0100.0f'} 3000000`) if (line.length === 100) lines++
  })
  expect(lines).toBe(3_000_000)
  expect(grown).toBeLessThan(little)
})

it('a taker that ends early does not hold its source', async () => {
  const source = $`head -c ${50_000_000} /dev/zero`.nothrow()
  await source.pipe(here`head -c 10`).nothrow()
  expect((await source).exitCode).toBe(0)
})
