import { isKraftError } from '../../engine/errors/failure.js'
import { limitTo } from '../../engine/node/limit.js'
import type { Node } from '../../engine/node/node.js'
import type { Target } from '../../engine/task/context.js'
import type { Session } from '../../engine/task/session.js'
import { whereItIs } from '../where-it-is.js'
import type { Surroundings } from './check.js'
import { type Finding, findingOf } from './finding.js'
import { within } from './within.js'

/**
 * What checks look at: the words behind the colon, found as far as the settings can be read. What is wrong there is told by the
 * checks of these files, and the nodes that the words name, as far as `limit` leaves them, are looked at all the same.
 *
 * @throws KraftError `usage` where a word is no environment and no node, and where `limit` fits none.
 */
export async function surroundings(
  session: Session,
  words: readonly string[],
  limit: readonly string[] = [],
): Promise<Surroundings> {
  const remembered = await session.inventory().then((inventory) => inventory.all(), none)
  const targets = (await Promise.all(words.map((word) => find(session, word)))).flat()
  const nodes = targets.flatMap((target) => target.nodes)
  const names = (words.length === 0 ? remembered : nodes).map(({ name }) => name)
  const where = words.length === 0 ? 'that is remembered' : `of ${words.join(', ')}`
  // Where no node is known the checks say why.
  const isMeant = names.length === 0 ? () => true : limitTo(limit, names, where)
  const entered = new Map<string, Promise<Finding | undefined>>()
  return {
    session,
    targets,
    nodes: nodes.filter(({ name }, index) => isMeant(name) && nodes.findIndex((each) => each.name === name) === index),
    remembered: words.length === 0 ? remembered.filter(({ name }) => isMeant(name)) : remembered,
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

/** Milliseconds: all that a dead node may cost, and after which its provider is asked about it. */
const [most, soon] = [10_000, 3_000]

async function enter(session: Session, node: Node): Promise<Finding | undefined> {
  const started = performance.now()
  const entering = logIn(node)
  const early = await within(soon, entering)
  const asked = early === undefined || early.isAway ? whereItIs(session, node) : undefined
  const { finding, isAway } = await entering
  if (finding === undefined || !isAway || asked === undefined) return finding
  const next = await within(Math.max(1, most - (performance.now() - started)), asked)
  return next === undefined ? finding : { ...finding, next }
}

async function logIn(node: Node): Promise<{ readonly finding: Finding | undefined; readonly isAway: boolean }> {
  try {
    await node.connection.capture('true')
    await node.read('true')
    return { finding: undefined, isAway: false }
  } catch (error) {
    return { finding: findingOf(error), isAway: isKraftError(error) && error.failure.kind === 'unreachable' }
  }
}
