import { expect, it } from 'vitest'
import { howEnded } from '../../../recipes/ps.js'
import { needs } from '../../../recipes/status/programs.js'

const worker = { kind: 'process', name: 'worker.1', seconds: 1, code: 2 } as const
const said = (state: string, restarts: number, seconds = 1) =>
  needs({ ...worker, state, restarts, seconds }, false, 'stage').map(({ what }) => what)

it('a program that ends again and again is told so, whether it just runs or waits for its next start', () => {
  const told = ['worker.1 has ended 3 times, last with code 2']
  expect([said('run', 3), said('down', 3), said('finish', 3)]).toEqual([told, told, told])
})

it('one that a signal has ended is told by its name', () => {
  const killed = { kind: 'process', name: 'worker.1', state: 'run', seconds: 1, restarts: 3, signal: 'SIGKILL' } as const
  expect(needs(killed, false, 'stage').map(({ what }) => what)).toEqual(['worker.1 has ended 3 times, last by SIGKILL'])
  expect([howEnded(killed), howEnded({ code: 2 }), howEnded({})]).toEqual(['SIGKILL', 'code 2', undefined])
})

it('one that ended now and then, or has been up for long since, needs nobody; one that is down does', () => {
  expect([said('run', 2), said('run', 9, 3600)]).toEqual([[], []])
  expect(said('down', 0)).toEqual(['worker.1 does not run (down)'])
  expect(needs({ ...worker, state: 'down' }, true, 'stage')).toEqual([])
})
