import { isKraftError } from '../../engine/errors/failure.js'
import type { Node } from '../../engine/node/node.js'
import type { Target } from '../../engine/task/context.js'
import type { Session } from '../../engine/task/session.js'
import { loadKind } from '../kinds.js'
import type { Surroundings } from './check.js'
import { type Finding, findingOf } from './finding.js'

/**
 * What checks look at: the words behind the colon, found as far as the settings can be read. What is wrong there is told by the
 * checks of these files, and the nodes that the words name are looked at all the same.
 *
 * @throws KraftError `usage` where a word is no environment and no node.
 */
export async function surroundings(session: Session, words: readonly string[]): Promise<Surroundings> {
  const remembered = await session.inventory().then((inventory) => inventory.all(), none)
  const targets = (await Promise.all(words.map((word) => find(session, word)))).flat()
  const nodes = targets.flatMap((target) => target.nodes)
  const entered = new Map<string, Promise<Finding | undefined>>()
  return {
    session,
    targets,
    nodes: nodes.filter(({ name }, index) => nodes.findIndex((each) => each.name === name) === index),
    remembered,
    enter(node) {
      const before = entered.get(node.name) ?? enter(session, node)
      entered.set(node.name, before)
      return before
    },
  }
}

async function find(session: Session, word: string): Promise<readonly Target[]> {
  try {
    return await session.resolve(word, undefined, false)
  } catch (error) {
    if (!isKraftError(error)) throw error
    // A node that several environments hold is looked at by itself.
    if (error.failure.kind === 'usage')
      return session.resolve(word, 'nodes', false).catch(() => {
        throw error
      })
    if (error.failure.kind !== 'setting') throw error
    const record = await session.inventory().then((inventory) => inventory.get(word), none)
    const nodes = record === undefined || 'length' in record ? [] : [session.connect(record, 'every')]
    return [{ word, nodes, project: undefined }]
  }
}

function none(error: unknown): [] {
  if (!isKraftError(error)) throw error
  return []
}

async function enter(session: Session, node: Node): Promise<Finding | undefined> {
  try {
    await node.connection.capture('true')
    await node.read('true')
    return undefined
  } catch (error) {
    const finding = findingOf(error)
    const away = isKraftError(error) && error.failure.kind === 'unreachable'
    return away ? { ...finding, next: (await whereItIs(session, node)) ?? finding.next } : finding
  }
}

/** What its provider knows of a node that does not answer. */
async function whereItIs({ user }: Session, { name, record }: Node): Promise<string | undefined> {
  try {
    const provider = await loadKind('providers', record.provider)
    if (provider.keeps === true) return undefined
    const now = await provider.describe(record, user.providers[record.provider] ?? {})
    if (now === 'stopped') return `It is stopped (${provider.name}). Start it: kraft provision ${name}`
    if (now === 'missing')
      return `It is gone (${provider.name}). Forget it: kraft terminate:${name}; or make it anew: kraft provision ${name}`
    return undefined
  } catch {
    // Whether the provider answers is told by its own check.
    return undefined
  }
}
