import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { commitsBetween } from '../../project/commits.js'
import { git as run } from '../../project/git.js'
import { writeFiles } from '../rig/cli.js'
import { ensurePackages } from '../rig/packages.js'

let root: string
let shop: string
const commits: Record<string, string> = {}
const git = (...args: string[]) => run(root, ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args])

async function commit(title: string, path: string): Promise<void> {
  await writeFiles(root, { [path]: title })
  await git('add', '-A')
  await git('commit', '--quiet', '-m', title)
  commits[title] = (await git('rev-parse', 'HEAD')).toString().trim()
}

beforeAll(async () => {
  await ensurePackages(['git'])
  root = await mkdtemp(join(tmpdir(), 'kraft-commits-'))
  shop = join(root, 'shop')
  await git('init', '--quiet')
  await commit('first', 'shop/a')
  await commit('basket', 'shop/b')
  await commit('of another project', 'other/c')
  await commit('till', 'shop/d')
  await git('checkout', '--quiet', '-b', 'side', commits.basket ?? '')
  await commit('stall', 'shop/e')
})
afterAll(() => rm(root, { recursive: true, force: true }))

it('names what a version has more, the newest first, of this project alone', async () => {
  expect(await commitsBetween(shop, commits.first ?? '', commits.till ?? '')).toEqual({
    added: [
      { commit: commits.till, title: 'till', by: 'Ada' },
      { commit: commits.basket, title: 'basket', by: 'Ada' },
    ],
    removed: [],
  })
})

it('names what a version lacks that another one has', async () => {
  const found = await commitsBetween(shop, commits.till ?? '', commits.stall ?? '')
  expect(found?.added.map(({ title }) => title)).toEqual(['stall'])
  expect(found?.removed.map(({ title }) => title)).toEqual(['till'])
})

it('knows nothing of a commit that the repository does not have, nor outside of one', async () => {
  expect(await commitsBetween(shop, '0'.repeat(40), commits.till ?? '')).toBeUndefined()
  expect(await commitsBetween(tmpdir(), commits.first ?? '', commits.till ?? '')).toBeUndefined()
})
