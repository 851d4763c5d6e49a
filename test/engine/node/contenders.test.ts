import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { lockNode } from '../../../engine/node/node-lock.js'
import { generator } from '../../rig/generated-strings.js'
import { type Loopback, startLoopback } from '../../rig/loopback.js'
import { type Program, program } from '../../rig/program.js'
import { soak } from '../../rig/soak.js'

const { count: rounds, first, write } = soak('lock', 20)
const contenders = 8
let loopback: Loopback
let fixture: Program

beforeAll(async () => {
  loopback = await startLoopback()
  fixture = await program(fileURLToPath(new URL('contender.fixture.ts', import.meta.url)), ['engine'])
}, 120_000)
afterAll(async () => {
  await loopback?.stop()
  await fixture?.remove()
})

/** A kraft of its own as far as the lock goes. */
class Contender {
  private readonly child: ChildProcess
  private readonly lines: AsyncIterator<string>
  private readonly reader: Interface

  constructor(readonly name: string) {
    const { record, configFile, folder } = loopback.sshd
    this.child = spawn(process.execPath, [fixture.file, JSON.stringify(record), configFile, name], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, HOME: folder },
    })
    this.reader = createInterface({ input: this.child.stdout ?? process.stdin })
    this.lines = this.reader[Symbol.asyncIterator]()
  }

  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`)
  }

  async said(): Promise<{ readonly round?: number; readonly number?: number; readonly refused?: string }> {
    const { value } = await this.lines.next()
    return JSON.parse(String(value))
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const gone = new Promise((resolve) => this.child.on('close', resolve))
    this.child.kill(signal)
    await gone
    this.reader.close()
  }
}

it(`of eight contenders exactly one has the lock in each of ${rounds} rounds, and one that is killed frees it`, {
  timeout: 120_000 + rounds * 8000,
}, async () => {
  const started = performance.now()
  const all = await Promise.all(
    Array.from({ length: contenders }, async (_, index) => {
      const contender = new Contender(`contender-${index}`)
      expect(await contender.said()).toEqual({ ready: true })
      return contender
    }),
  )
  const faults: string[] = []
  let newest = 0
  let killed = 0
  let slowest = 0
  try {
    for (let seed = first; seed < first + rounds; seed += 1) {
      const random = generator(seed)
      for (const contender of all) contender.tell(`${seed} ${random() < 0.5 ? 0 : Math.floor(random() * 40)}`)
      const said = await Promise.all(all.map((contender) => contender.said()))
      const winners = said.flatMap(({ number }, index) => (number === undefined ? [] : [{ number, index }]))
      const [winner] = winners
      if (winner === undefined || winners.length > 1 || said.some(({ round }) => round !== seed)) {
        faults.push(`round ${seed}: ${JSON.stringify(said)}`)
        break
      }
      const { number, index } = winner
      if (number <= newest) faults.push(`round ${seed}: number ${number} after ${newest}`)
      newest = number
      const unnamed = said.filter(
        ({ refused }) => refused !== undefined && !refused.match(`now: contender-${index}, since [^,]*$`),
      )
      if (unnamed.length > 0) faults.push(`round ${seed}: contender-${index} has it, but ${JSON.stringify(unnamed)}`)
      if (random() < 0.7) {
        all[index]?.tell('release')
        await all[index]?.said()
      } else {
        killed += 1
        const since = performance.now()
        await all[index]?.end('SIGKILL')
        const next = await lockNode(loopback.node(), 'contended', 'referee', { seconds: 60 })
        slowest = Math.max(slowest, performance.now() - since)
        newest = Number(next.number)
        await next.release()
        all[index] = new Contender(`contender-${index}`)
        await all[index].said()
      }
    }
  } finally {
    await Promise.all(all.map((contender) => contender.end('SIGTERM')))
  }
  await write({
    rounds,
    firstSeed: first,
    contenders,
    killed,
    slowestSecondsUntilFree: Math.round(slowest / 100) / 10,
    faults,
    seconds: Math.round((performance.now() - started) / 1000),
  })
  expect(faults).toEqual([])
  expect(killed).toBeGreaterThan(0)
  expect(killed).toBeLessThan(rounds)
})
