import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readLogs, type WantedLogs } from '../../recipes/logs.js'

// The script itself, on a folder of this machine.
let home: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'kraftwerk-logs-'))
  mkdirSync(join(home, 'log/.old'), { recursive: true })
  writeFileSync(join(home, 'log/web'), 'w5\nw6\nw7\n')
  writeFileSync(join(home, 'log/.old/web.1'), 'w4\n')
  writeFileSync(join(home, 'log/.old/web.2.gz'), gzipSync('w2\nw3\n'))
  writeFileSync(join(home, 'log/.old/web.10.gz'), gzipSync('w1\n'))
  writeFileSync(join(home, 'log/worker'), 'one\n')
  writeFileSync(join(home, 'log/worker.2'), 'two\nhalf')
  writeFileSync(join(home, 'log/.old/worker.2'), 'zero\n')
})
afterAll(() => rmSync(home, { recursive: true }))

const script = (wanted: Partial<WantedLogs>) =>
  readLogs({ name: 'shop', home }, { names: [], lines: 100, follow: false, ...wanted }).text
const read = (wanted: Partial<WantedLogs>) => {
  const { stdout } = spawnSync('sh', ['-c', script(wanted)], { encoding: 'utf8' })
  return stdout.split('\n').slice(1)
}

it('prints the newest lines of each log, also one that is not whole yet', () => {
  expect(read({ lines: 2 })).toEqual([
    'web\tw6',
    'web\tw7',
    'worker\tzero',
    'worker\tone',
    'worker.2\ttwo',
    'worker.2\thalf',
    '\u0001',
    '',
  ])
  expect(read({ lines: 0, names: ['web'] })).toEqual(['\u0001', ''])
  expect(read({ names: ['worker.2'] })).toEqual(['worker.2\ttwo', 'worker.2\thalf', '\u0001', ''])
})

it('finds lines in rotated files, the oldest first', () => {
  expect(read({ names: ['web'] })).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => `web\tw${n}`).concat('\u0001', ''))
  expect(read({ names: ['web'], lines: 5 }).slice(0, 5)).toEqual([3, 4, 5, 6, 7].map((n) => `web\tw${n}`))
})

it('reads a file larger than a block from its end', () => {
  writeFileSync(join(home, 'log/big'), Array.from({ length: 50_000 }, (_, n) => `line ${n}\n`).join(''))
  expect(read({ names: ['big'], lines: 20_000 }).slice(0, -2)).toEqual(
    Array.from({ length: 20_000 }, (_, n) => `big\tline ${n + 30_000}`),
  )
})

it('shows one that was renamed and has no new line yet', () => {
  writeFileSync(join(home, 'log/.old/idle.1'), 'i1\n')
  expect(read({ names: ['idle'] })).toEqual(['idle\ti1', '\u0001', ''])
  rmSync(join(home, 'log/.old/idle.1'))
})

it('says where there is none', () => {
  const { status, stderr } = spawnSync('sh', [
    '-c',
    readLogs({ name: 'no', home: '/nowhere' }, { names: [], lines: 1, follow: false }).text,
  ])
  expect([status, String(stderr)]).toEqual([1, expect.stringContaining('no logs of it on this node')])
})

it('follows over a rename, one that is emptied and one that comes, and ends with its input', async () => {
  const log = join(home, 'log/web')
  const child = spawn('sh', ['-c', script({ names: ['web', 'new'], lines: 1, follow: true })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const sees = (...rows: string[]) =>
    expect.poll(() => said.split('\n').filter((row) => /^(web|new)\t/.test(row)), { timeout: 10_000 }).toEqual(rows)
  await sees('web\tw7')
  renameSync(log, join(home, 'log/.old/web.0'))
  appendFileSync(join(home, 'log/.old/web.0'), 'w8\n')
  writeFileSync(log, 'w9\nhal')
  await sees('web\tw7', 'web\tw8', 'web\tw9')
  appendFileSync(log, 'f\n')
  await sees('web\tw7', 'web\tw8', 'web\tw9', 'web\thalf')
  writeFileSync(log, 'x\n')
  writeFileSync(join(home, 'log/new'), 'n\n')
  await sees('web\tw7', 'web\tw8', 'web\tw9', 'web\thalf', 'web\tx', 'new\tn')
  child.stdin.end()
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
})
