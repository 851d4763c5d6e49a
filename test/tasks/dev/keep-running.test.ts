import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { signalGroup } from '../../../engine/shell/signal-group.js'
import { startGuard } from '../../../tasks/dev/group.js'
import { type Kept, keepRunning } from '../../../tasks/dev/keep-running.js'
import { createScreen } from '../../../tasks/dev/screen.js'

let folder: string
let shown: string
let kept: Kept[]
let groups: number[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-dev-'))
  shown = ''
  kept = []
  groups = []
})
afterEach(async () => {
  for (const each of kept) each.kill()
  await rm(folder, { recursive: true, force: true })
})

/** Keeps a line of shell running, with a guard that notes which groups there were. */
function keep(command: string, patience = 5): Kept {
  const out = new PassThrough()
  out.setEncoding('utf8').on('data', (text: string) => {
    shown += text
  })
  const screen = createScreen(['worker'], out, false)
  const guard = { add: (group: number) => void groups.push(group), remove: () => undefined, end: () => undefined }
  const program = { name: 'worker', command: ['bash', '-c', command], environ: { A: 'b' }, reloads: false, patience } as const
  const environ = { PATH: process.env.PATH ?? '' }
  const one = keepRunning(program, { folder, environ, screen, guard })
  kept.push(one)
  return one
}
const shows = (text: string) => expect.poll(() => shown, { timeout: 10_000 }).toContain(text)

test('both outputs come in their order, and one that ends is started anew after a pause, or at a save', async () => {
  const one = keep('echo 1; echo 2 >&2; echo "$A"; exit 3')
  await shows(
    'worker | 1\nworker | 2\nworker | b\nkraft  | worker ended with code 3; it starts again in 1 s, or when a file is saved\n',
  )
  await shows('it starts again in 2 s')
  const before = groups.length
  one.saved(['shop/views.py'])
  await expect.poll(() => groups.length).toBe(before + 1)
})

test('a save starts it anew, with all that it has started, and says why', async () => {
  const one = keep('sleep 1000 & echo "begun $$"; wait')
  await shows('begun')
  const [first = 0] = groups
  one.saved(['shop/views.py'])
  await shows('kraft  | worker starts anew: shop/views.py\n')
  await expect.poll(() => groups.length).toBe(2)
  await expect.poll(() => signalGroup(first, 0), { timeout: 10_000 }).toBe(false)
  await one.end()
  await expect.poll(() => groups.some((group) => signalGroup(group, 0)), { timeout: 10_000 }).toBe(false)
})

test('what does not hear TERM is killed when its time is over', async () => {
  const one = keep("trap '' TERM; echo begun; while :; do sleep 1; done", 0.2)
  await shows('begun')
  await one.end()
  await expect.poll(() => groups.map((group) => signalGroup(group, 0)), { timeout: 10_000 }).toEqual([false])
})

test('a program that is not there is told, and tried again', async () => {
  keep('exec no-such-program')
  await shows('no-such-program: not found\nkraft  | worker ended with code 127')
})

test('a guard ends what is left when kraft is gone', async () => {
  keep(`sleep 1000 & echo $! > pid; echo begun; wait`)
  await shows('begun')
  const guard = startGuard()
  const [group = 0] = groups
  guard.add(1_999_999)
  guard.add(group)
  guard.remove(1_999_999)
  guard.end()
  const pid = Number(await readFile(join(folder, 'pid'), 'utf8'))
  await expect.poll(() => isThere(pid), { timeout: 10_000 }).toBe(false)
})

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
