import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startConstantLoad, straysAmong } from './constant-load.js'

/** What visitors got of a server that answers in turn; `releases` are switched as commands do it. */
async function switched(answer: (current: string, before: string) => string): Promise<readonly string[]> {
  const releases = ['1', '2', '3']
  let at = 0
  const server = createServer((_, response) => void response.end(answer(releases[at] ?? '', releases[at - 1] ?? '1')))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const place = server.address()
  if (place === null || typeof place === 'string') throw new Error('A TCP server has a port')
  const load = startConstantLoad({ address: '127.0.0.1', port: place.port, host: 'site', paths: ['/'] }, { rate: 100 })
  for (const _ of ['2', '3']) {
    await pause(150)
    at += 1
    load.next()
  }
  await pause(150)
  const { periods, failures } = await load.stop()
  server.closeAllConnections()
  server.close()
  expect(failures).toEqual({})
  return straysAmong(periods, releases)
}

test('what serves before and behind each switch is no stray', async () => {
  expect(await switched((current) => current)).toEqual([])
})

test('a late answer of the release before is one, and so is one that nobody deployed', async () => {
  expect(await switched((_, before) => before)).toContain('2 after command 2')
  expect(await switched(() => 'other')).toEqual(['other after command 0', 'other after command 1', 'other after command 2'])
})
