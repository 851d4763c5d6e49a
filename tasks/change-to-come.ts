import type { Session } from '../engine/task/session.js'
import type { EnvironChange } from '../recipes/environ.js'

const planned = new WeakMap<Session, Map<string, EnvironChange>>()

const keyOf = (instance: string, node = '') => `${instance} ${node}`

/** Says what the next start of an instance's processes changes in its environment, whoever starts them; on one node, or on all. */
export function planChange(session: Session, instance: string, change: EnvironChange, node?: string): void {
  const changes = planned.get(session) ?? new Map<string, EnvironChange>()
  planned.set(session, changes.set(keyOf(instance, node), change))
}

/** What {@link planChange} said. */
export function plannedChange(session: Session, instance: string, node: string): EnvironChange | undefined {
  const changes = planned.get(session)
  return changes?.get(keyOf(instance, node)) ?? changes?.get(keyOf(instance))
}

/** The change for all nodes is kept, or given up. */
export function dropChange(session: Session, instance: string): void {
  planned.get(session)?.delete(keyOf(instance))
}
