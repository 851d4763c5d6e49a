import { expect, test } from 'vitest'
import { printReceipt } from '../../../tasks/rollout/receipt.js'

const requests = { requests: 0, failed: 0, slowest: 0 }

test('the receipt names the parts that took long, and the rest in one figure, so that it fits on a line', () => {
  const seconds = { Lock: 0.01, 'Set up': 1.04, Release: 2.55, Site: 0.2, Switch: 0.11, Log: 0.04 }
  expect(printReceipt({ seconds, requests, versions: { python: '3.11.2' } })).toEqual([
    'Set up 1.0 s, Release 2.5 s, the rest 0.4 s',
    'No requests during the switch',
    'python 3.11.2',
  ])
})

test('where nothing took long there is one figure, and none where it took no time', () => {
  expect(printReceipt({ seconds: { Release: 0.2, Site: 0.2 }, requests, versions: {} })[0]).toBe('all parts 0.4 s')
  expect(printReceipt({ seconds: { Release: 0 }, requests, versions: {} })).toEqual(['No requests during the switch'])
})

test('what was sent is summed up over the nodes', () => {
  const printed = (...sent: readonly { files: number; bytes: number }[]) =>
    printReceipt({ seconds: {}, requests, versions: {} }, sent)[0]
  expect(printed({ files: 1, bytes: 8 })).toBe('1 file sent, 8 B')
  expect(printed({ files: 3, bytes: 1024 }, { files: 0, bytes: 0 })).toBe('3 files sent, 1.0 KiB')
})

test('what visitors got is said with the slowest', () => {
  expect(printReceipt({ seconds: {}, requests: { requests: 12, failed: 1, slowest: 0.0456 }, versions: {} })).toEqual([
    '12 requests during the switch, 1 failed, the slowest took 46 ms',
  ])
})
