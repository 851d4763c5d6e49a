import { expect, it } from 'vitest'
import { readPrograms } from '../../recipes/ps.js'

const printed = `time 1000 CET
live 20261128-100000
service shop.web.20261128-090000 0 - run: /etc/service/shop.web.20261128-090000: (pid 50) 99s, want down, got TERM
service shop.web.20261128-100000 2 1 run: /etc/service/shop.web.20261128-100000: (pid 60) 9s
service shop.process.eater.1 4 SIGKILL run: /etc/service/shop.process.eater.1: (pid 71) 3s
service shop.process.older.1 1 -1 down: /etc/service/shop.process.older.1: 1s
service shop.process.worker.1 0 - down: /etc/service/shop.process.worker.1: 4s, normally up
cron nightly 100 70
cron weekly 100 71 160 3
cron never 
cron dead 100 99999
count worker 3
process 60 1 1000 9
process 61 60 2000 8
process 62 60 3000 7
process 63 62 500 1
process 70 1 10 900
process 72 70 20 900
`

it('tells web processes, workers, processes and cron entries with what they hold in memory', () => {
  expect(readPrograms(printed)).toEqual({
    timezone: 'CET',
    scaled: { worker: 3 },
    programs: [
      { kind: 'web', name: 'web', state: 'old', seconds: 99, pid: 50, restarts: 0 },
      { kind: 'web', name: 'web', state: 'run', seconds: 9, pid: 60, restarts: 2, code: 1, memory: 1_024_000 },
      { kind: 'web worker', name: 'web.1', state: 'run', pid: 61, seconds: 8, memory: 2_048_000 },
      { kind: 'web worker', name: 'web.2', state: 'run', pid: 62, seconds: 7, memory: 3_584_000 },
      { kind: 'process', name: 'eater.1', state: 'run', seconds: 3, pid: 71, restarts: 4, signal: 'SIGKILL' },
      { kind: 'process', name: 'older.1', state: 'down', seconds: 1, restarts: 1, signal: 'a signal' },
      { kind: 'process', name: 'worker.1', state: 'down', seconds: 4, restarts: 0 },
      { kind: 'cron', name: 'nightly', state: 'run', seconds: 900, pid: 70, memory: 30_720 },
      { kind: 'cron', name: 'weekly', state: 'waiting', seconds: 840, code: 3 },
      { kind: 'cron', name: 'never', state: 'waiting' },
      { kind: 'cron', name: 'dead', state: 'waiting' },
    ],
  })
})
