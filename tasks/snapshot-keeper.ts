import { providerSettings } from '../engine/config/user.js'
import { KraftError } from '../engine/errors/failure.js'
import type { NodeWork, Provider, Snapshot, Snapshots } from '../engine/node/provider.js'
import type { NodeRecord } from '../engine/node/record.js'
import type { Line } from '../engine/report/report.js'
import type { Session } from '../engine/task/session.js'
import { loadKind } from '../recipes/kinds.js'

/** A node with the provider that keeps states of it. */
export interface Kept {
  readonly record: NodeRecord
  readonly provider: Provider
  readonly snapshots: Snapshots
  readonly work: NodeWork
}

/** What a provider needs to work on a node. */
export async function nodeWork(session: Session, record: NodeRecord, line: Line): Promise<NodeWork> {
  const provider = await loadKind('providers', record.provider)
  const settings = await providerSettings(session.user, provider.name, provider.section, {})
  return { settings, progress: (text) => line.output(text), signal: session.ended }
}

/** The node with what its provider can keep of it. Throws `usage` where that is nothing. */
export async function keeperOf(session: Session, record: NodeRecord, line: Line): Promise<Kept> {
  const provider = await loadKind('providers', record.provider)
  const { name, snapshots } = provider
  if (snapshots === undefined) {
    throw new KraftError({
      kind: 'usage',
      message: `The provider ${name} keeps no snapshots of its nodes, so there are none of ${record.name}`,
      next: 'To keep the data of a project: kraft dump:TARGET FILE',
    })
  }
  return { record, provider, snapshots, work: await nodeWork(session, record, line) }
}

/** The snapshot of a node that is meant: the newest where none is named. Throws `usage` where there is none, naming those that there are. */
export async function chooseSnapshot({ record, snapshots, work }: Kept, name: string | undefined): Promise<Snapshot> {
  const all = await snapshots.list(record, work.settings)
  const found = name === undefined ? all[0] : all.find((each) => each.name === name)
  if (found !== undefined) return found
  throw new KraftError({
    kind: 'usage',
    message: name === undefined ? `There is no snapshot of ${record.name}` : `There is no snapshot ${name} of ${record.name}`,
    next:
      all.length === 0
        ? `Take one: kraft snapshot:${record.name}`
        : `Name one that there is: ${all.map((each) => each.name).join(', ')}`,
  })
}

/** A time as people read it. */
export function shownTime(time: string): string {
  return time.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')
}
