import type { Node } from '../../engine/node/node.js'
import { redactData } from '../../engine/shell/redact.js'
import { lines, sh } from '../../engine/shell/sh.js'
import type { Session } from '../../engine/task/session.js'
import { findingOf } from '../../recipes/doctor/finding.js'
import { parseResidents, type Resident, readResidents } from '../../recipes/residents.js'
import { machine } from '../../recipes/status/machine.js'
import { type Measures, measure, parseMeasures, percentUsed } from '../../recipes/status/measures.js'
import type { Attention, Found } from '../../recipes/status/part.js'
import { whereItIs } from '../../recipes/where-it-is.js'
import { History } from './history.js'

/** What is known of a node. */
export interface NodeView {
  readonly name: string
  readonly provider: string
  readonly address: string
  /** Undefined until it has answered or failed to. */
  readonly isReached: boolean | undefined
  /** Why it is not reached, and what to do. */
  readonly problem: Attention | undefined
  /** The newest, also of a node that has gone since. */
  readonly measures: Measures | undefined
  readonly machine: Found | undefined
  readonly residents: readonly Resident[]
  readonly history: History
}

/** How many samples are kept: four hours of one each ten seconds. */
export const kept = 1440

/** Watches a node itself, whatever is on it. What fails is kept as what it is: others go on. */
export class NodeWatch implements NodeView {
  isReached: boolean | undefined
  problem: Attention | undefined
  measures: Measures | undefined
  machine: Found | undefined
  residents: readonly Resident[] = []
  readonly history = new History(kept)
  readonly name: string
  readonly provider: string
  readonly address: string

  constructor(
    readonly node: Node,
    readonly session: Session,
  ) {
    this.name = node.name
    this.provider = node.record.provider
    this.address = node.record.address
  }

  /** How much of it is in use now. */
  async sample(): Promise<void> {
    await this.#ask(lines(sh`cd /; LC_ALL=C; export LC_ALL`, measure()).text, (printed) => {
      const measures = parseMeasures(printed)
      this.measures = measures
      this.history.add({ at: Date.now(), values: valuesOf(measures) })
    })
  }

  /** What takes the node a while to say: updates and reboots, and who is there. */
  async look(): Promise<void> {
    const before = new Date()
    const script = lines(sh`cd /; LC_ALL=C; export LC_ALL`, readResidents(), sh`printf '\001\n'`, machine.look())
    await this.#ask(script.text, (printed) => {
      const [residents = '', of = ''] = printed.split('\u0001\n')
      this.residents = parseResidents(residents)
      this.machine = redactData(machine.read(of, { node: this.node, between: [before, new Date()] })) as Found
    })
  }

  async #ask(script: string, read: (printed: string) => void): Promise<void> {
    try {
      read(await this.node.read(script))
      this.isReached = true
      this.problem = undefined
    } catch (error) {
      if (this.session.ended.aborted) return
      const { what, next } = findingOf(error)
      this.isReached = false
      this.problem = { what, next }
      const known = await whereItIs(this.session, this.node)
      if (known !== undefined && !this.isReached) this.problem = { what, next: known }
    }
  }
}

function valuesOf({ load, memory, disks }: Measures): Readonly<Record<string, number>> {
  return {
    load: load[0],
    memory: percentUsed(memory.size, memory.available),
    ...Object.fromEntries(disks.map(({ path, size, free }) => [`disk ${path}`, percentUsed(size, free)])),
  }
}
