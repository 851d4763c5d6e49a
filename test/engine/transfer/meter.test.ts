import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { duration, progressText, size } from '../../../engine/report/progress-text.js'
import type { Progress } from '../../../engine/report/report.js'
import { Meter } from '../../../engine/transfer/meter.js'
import { sendStream } from '../../../engine/transfer/send.js'
import { type Loopback, startLoopback } from '../../rig/loopback.js'

let node: Loopback
beforeAll(async () => {
  node = await startLoopback()
  process.env.HOME = node.sshd.folder
})
afterAll(() => node.stop())

it('tells bytes, rate and remaining time, at most four times a second and at the end', () => {
  const told: Progress[] = []
  let now = 0
  const meter = new Meter({ progress: (at) => told.push(at) }, 10_000, () => now)
  for (let step = 0; step < 100; step++) {
    now += 100
    meter.count(100)
  }
  expect(told.length).toBeLessThan(42)
  for (const { rate } of told) expect(rate).toBe(1000)
  expect(told[4]).toEqual({ done: 1300, total: 10_000, rate: 1000, remaining: 8.7 })
  expect(told.at(-1)).toMatchObject({ done: 10_000, remaining: 0 })
})

it('follows a line that becomes slower', () => {
  let last: Progress | undefined
  let now = 0
  const progress = (at: Progress) => {
    last = at
  }
  const meter = new Meter({ progress }, undefined, () => now)
  for (let step = 0; step < 20; step++) {
    now += 1000
    meter.count(step < 10 ? 1_000_000 : 1000)
  }
  expect(last).toEqual({ done: 10_010_000, total: undefined, rate: 1000, remaining: undefined })
})

it('hears of every byte that goes to a node', async () => {
  const told: Progress[] = []
  const meter = new Meter({ progress: (at) => told.push(at) }, 3 << 20)
  async function* source() {
    for (let part = 0; part < 3; part++) {
      yield Buffer.alloc(1 << 20, part)
      await sleep(300)
    }
  }
  const sent = await sendStream(node.connect(), () => Readable.from(source()), 'cat >/dev/null', meter.count)
  expect(sent).toBe(3 << 20)
  expect(told.length).toBe(3)
  expect(told.at(-1)).toMatchObject({ done: 3 << 20, total: 3 << 20 })
})

it('reads well', () => {
  const at = { done: 5 << 20, total: 20 << 20, rate: 1 << 20, remaining: 15 }
  expect(progressText(at)).toBe('25% of 20 MiB, 1.0 MiB/s, 15 s left')
  expect(progressText({ done: 512, total: undefined, rate: 100, remaining: undefined })).toBe('512 B, 100 B/s')
  expect([size(0), size(1536), size(3 * 1024 ** 4)]).toEqual(['0 B', '1.5 KiB', '3.0 TiB'])
  expect([duration(8.2), duration(65), duration(7380)]).toEqual(['8 s', '1:05 min', '2:03 h'])
})
