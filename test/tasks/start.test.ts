import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { failure, kraft } from '../rig/cli.js'
import { freshHome } from '../rig/home.js'

const at = freshHome()

/** A node of a provider of the kraftfile, which says how it is. */
async function nodeOf(describe: string, start = ''): Promise<void> {
  await at.write(
    'calculator/kraftfile.ts',
    `import { provider } from 'kraftwerk'
const record = { provider: 'shelf', address: '127.0.0.1', port: 1, user: 'root', host_keys: [] }
export const shelf = provider({ name: 'shelf', doc: 'ours', create: async ({ name }) => ({ ...record, name }),
  describe: async () => { ${describe} }, ${start} destroy: async () => undefined })\n`,
  )
  expect((await run('provision', 'one', '--provider', 'shelf')).code).toBe(0)
}
const run = (...words: string[]) => kraft(words, { cwd: at.project, env: { HOME: at.home } })

test('where a provider can not start its machine, that is said, and not that the machine is on', async () => {
  await nodeOf(`return 'stopped'`)
  const { code, stdout, stderr } = await run('start:one')
  expect([code, stdout, failure(stderr)]).toEqual([
    1,
    '',
    'error: one: kraft can not start it\nnext:  It is stopped (shelf). Start it there; then kraft provision one finds it, also at another address',
  ])
})

test('what is remembered of a machine that was started is where it is now', async () => {
  await nodeOf(`return 'stopped'`, `start: async (record) => ({ ...record, address: '127.0.0.2' }),`)
  // Nobody listens there.
  expect((await run('start:one')).code).toBe(3)
  expect(parse(await readFile(join(at.home, '.kraftwerk/nodes.yaml'), 'utf8')).one.address).toBe('127.0.0.2')
})

test('whoever has no credentials of the provider is not kept from starting the site, nor told that the machine is on', async () => {
  await nodeOf(
    `throw Object.assign(new Error('No credentials'), { [Symbol.for('kraftwerk.error')]: true,
    failure: { kind: 'usage', message: 'No credentials', next: 'Set them' } })`,
    'start: async (record) => record,',
  )
  expect(failure((await run('start:one')).stderr)).toBe('error: No credentials\nnext:  Set them')
  await at.write('calculator/kraftwerk.yaml', 'wsgi: calculator.wsgi:application\n')
  expect(failure((await run('start:one')).stderr)).toContain('error: one: 127.0.0.1 port 1 refused the connection')
})
