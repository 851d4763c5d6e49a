import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { KraftError } from '../engine/errors/failure.js'
import type { Facts } from '../engine/node/facts.js'
import type { Script } from '../engine/step/compile.js'
import { localNode, type TestNodeOptions } from './local-node.js'
import { outcomeSchema } from './outcome.js'
import { type Attempts, type RecipeNode, recipeNode } from './recipe-node.js'

const steps = v.object({
  call: v.picklist(['apply', 'check']),
  hash: v.string(),
  titles: v.array(v.string()),
  outcome: outcomeSchema,
})
const command = v.object({ call: v.literal('run'), script: v.string(), output: v.string() })
const facts = v.object({
  os: v.string(),
  codename: v.string(),
  architecture: v.string(),
  cpus: v.number(),
  memory: v.number(),
  container: v.boolean(),
  ipv6: v.boolean(),
}) satisfies v.GenericSchema<unknown, Facts>
const schema = v.object({
  format: v.literal('kraftwerk recording'),
  version: v.literal(1),
  node: v.string(),
  facts: v.optional(facts),
  calls: v.array(v.variant('call', [steps, command])),
})

/** What a node was asked and how it answered, in order, as a file of JSON keeps it. It holds no secret: those travel apart. */
export type Recording = v.InferOutput<typeof schema>
type Call = Recording['calls'][number]

/** What {@link recordedNode} is given. */
export interface RecordedNodeOptions extends TestNodeOptions {
  /** True: a real node is asked and its answers are written to the file; left out: where KRAFT_RECORD is 1. */
  readonly record?: boolean
}

/**
 * A node that answers from a recording, without any node: in the order in which it was asked when it was recorded. With
 * `KRAFT_RECORD=1` a real local node is asked, and its `remove` writes the file.
 *
 * @throws KraftError `task` where there is no recording, or a recipe is not the one that was recorded (another script).
 * @example const node = await recordedNode(new URL('reports.json', import.meta.url))
 */
export async function recordedNode(
  file: string | URL,
  { record = process.env.KRAFT_RECORD === '1', ...options }: RecordedNodeOptions = {},
): Promise<RecipeNode> {
  const path = file instanceof URL ? fileURLToPath(file) : file
  return recipeNode(record ? recorder(path, await localNode(options)) : replayer(path, await readRecording(path)))
}

function recorder(path: string, node: Attempts): Attempts {
  const calls: Call[] = []
  let known: Facts | undefined
  return {
    name: node.name,
    facts: async () => {
      known = await node.facts()
      return known
    },
    async attempt(script, mode) {
      const outcome = await node.attempt(script, mode)
      calls.push({ call: mode, hash: script.hash, titles: titlesOf(script), outcome })
      return outcome
    },
    async run(script) {
      const output = await node.run(script)
      calls.push({ call: 'run', script, output })
      return output
    },
    async remove() {
      await node.remove()
      const recording: Recording = {
        format: 'kraftwerk recording',
        version: 1,
        node: node.name,
        ...(known === undefined ? {} : { facts: known }),
        calls,
      }
      await writeFile(path, `${JSON.stringify(recording, null, 2)}\n`)
    },
  }
}

function replayer(path: string, { node, facts: known, calls }: Recording): Attempts {
  const left = [...calls]
  const refuse = (message: string) =>
    new KraftError({ kind: 'task', message: `${path}: ${message}`, next: 'Record it again: run the test with KRAFT_RECORD=1' })
  const next = (asked: string) => {
    const call = left.shift()
    if (call === undefined) throw refuse(`the recording has ended, and the test asks for more: ${asked}`)
    return call
  }
  return {
    name: node,
    facts: async () => {
      if (known === undefined) throw refuse('no facts were recorded')
      return known
    },
    async attempt(script, mode) {
      const titles = titlesOf(script)
      const call = next(`${mode} ${titles.join(', ')}`)
      if (call.call !== mode) throw refuse(`the recording goes on with "${call.call}", the test with "${mode}"`)
      if (call.hash === script.hash) return call.outcome
      const other = titles.find((title, index) => title !== call.titles[index]) ?? call.titles[titles.length]
      throw refuse(`the recipe is not the one that was recorded${other === undefined ? '' : `; they differ at "${other}"`}`)
    },
    async run(script) {
      const call = next(script)
      if (call.call === 'run' && call.script === script) return call.output
      throw refuse(`the recording goes on with "${call.call === 'run' ? call.script : call.call}", the test runs "${script}"`)
    },
    remove: async () => undefined,
  }
}

function titlesOf({ steps: all }: Script): string[] {
  return all.map(({ title }) => title)
}

async function readRecording(path: string): Promise<Recording> {
  const refuse = (message: string) =>
    new KraftError({ kind: 'task', message: `${path}: ${message}`, next: 'Record it: run the test once with KRAFT_RECORD=1' })
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw refuse('there is no such recording')
    throw error
  })
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text)
  if (!read.success) throw refuse(`it is not a recording of this version of kraftwerk (${read.issues[0].message})`)
  return read.output
}
