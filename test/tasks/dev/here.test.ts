import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findHere } from '../../../tasks/dev/here.js'

test('the first place counts where somebody answers and the proof holds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kraft-here-'))
  const socket = join(folder, 'a.sock')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  const place = (what: string, at?: string, proof?: readonly [string, ...string[]]) => ({
    what,
    environ: {},
    ...(at === undefined ? {} : { at }),
    ...(proof === undefined ? {} : { proof }),
  })
  const find = async (...places: readonly ReturnType<typeof place>[]) => (await findHere(places, process.env))?.what
  const silent = place('silent', join(folder, 'b.sock'))
  const other = place('other', socket, ['sh', '-c', 'exit 1'])
  const unknown = place('unknown', socket, ['no-such-program'])
  try {
    expect(await find(silent, other, unknown, place('right', socket, ['true']), place('late', socket))).toBe('right')
    expect(await find(silent, place('always'))).toBe('always')
    expect(await find(silent, other, unknown)).toBeUndefined()
  } finally {
    server.close()
    await rm(folder, { recursive: true })
  }
})
