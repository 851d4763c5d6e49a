import { parseYaml, readText } from '../engine/config/yaml.js'
import { writeAtomic } from '../engine/files/atomic.js'
import { locked } from '../engine/files/lock.js'
import type { Project } from './settings.js'

/** What becomes of the nodes of an environment: another one takes a node's place, or gets the role db. */
export type NodeChange = { readonly from: string; readonly to: string } | { readonly db: string }

/**
 * Writes other nodes of an environment into kraftwerk.yaml, and leaves every other letter of it as it is. False where its nodes are not
 * written there as plain names: then nothing is changed.
 */
export async function writeNodes({ file }: Project, environment: string, change: NodeChange): Promise<boolean> {
  return locked(file, async (held) => {
    const text = await readText(file)
    const changed = await changeNodes(text, environment, change)
    if (changed === undefined) return false
    await writeAtomic(file, changed, { mode: 0o644, before: () => held.stillMine() })
    return true
  })
}

/**
 * The text of a kraftwerk.yaml with other nodes of an environment; undefined where they are not written there as plain names.
 *
 * @example await changeNodes('environments: { live: { nodes: [a] } }', 'live', { from: 'a', to: 'b' })
 */
export async function changeNodes(text: string, environment: string, change: NodeChange): Promise<string | undefined> {
  const { isMap, isScalar, isSeq } = await import('yaml')
  const { document } = await parseYaml(text, 'kraftwerk.yaml')
  const nodes = document.getIn(['environments', environment, 'nodes'], true)
  const db = 'db' in change ? `[${plain(change.db)}]` : ''
  const cuts: { readonly begin: number; readonly end: number; readonly text: string }[] = []
  const put = (node: { readonly range?: readonly number[] | null | undefined }, words: string) => {
    const [begin, end] = node.range ?? []
    if (begin !== undefined && end !== undefined) cuts.push({ begin, end, text: words })
  }
  /** Names in a list, or in one text. */
  const rename = (value: unknown, { from, to }: { readonly from: string; readonly to: string }): void => {
    if (isSeq(value)) for (const item of value.items) rename(item, { from, to })
    if (isMap(value)) for (const pair of value.items) rename(pair.value, { from, to })
    if (!isScalar(value) || typeof value.value !== 'string') return
    const words = value.value.split(/\s+/)
    if (words.includes(from)) put(value, words.map((word) => (word === from ? plain(to) : word)).join(' '))
  }
  if ('from' in change) rename(nodes, change)
  else if (isMap(nodes)) {
    const former = nodes.get('db', true)
    if (isSeq(former) || isScalar(former)) put(former, db)
    else if (nodes.flow === true) {
      const [last] = nodes.items.slice(-1)
      const value = last?.value
      if (isSeq(value) || isScalar(value)) put({ range: [value.range?.[1] ?? 0, value.range?.[1] ?? 0] }, `, db: ${db}`)
    }
  } else if (isSeq(nodes) || isScalar(nodes)) {
    const names = isSeq(nodes)
      ? nodes.items.map((item) => (isScalar(item) ? String(item.value) : ''))
      : String(nodes.value).split(/\s+/)
    // A list over several lines has its end on the next one.
    const [begin = 0, end = 0] = nodes.range ?? []
    const tail = /\s*$/.exec(text.slice(begin, end))?.[0] ?? ''
    put({ range: [begin, end - tail.length] }, `{ web: [${names.join(', ')}], db: ${db} }`)
  }
  if (cuts.length === 0) return undefined
  return cuts
    .sort((a, b) => b.begin - a.begin)
    .reduce((all, { begin, end, text: words }) => all.slice(0, begin) + words + all.slice(end), text)
}

// What YAML would read as a number or a truth value.
const plain = (name: string): string =>
  /^[A-Za-z]/.test(name) && !/^(true|false|null|yes|no|on|off)$/i.test(name) ? name : JSON.stringify(name)
