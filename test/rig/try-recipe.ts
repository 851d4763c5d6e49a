import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, type Node } from '../../engine/node/node.js'
import type { NodeRecord } from '../../engine/node/record.js'
import { plainReport } from '../../engine/report/plain.js'
import { connect } from '../../engine/ssh/connect.js'
import type { Connection } from '../../engine/ssh/connection.js'
import { generateHostKey } from '../../engine/ssh/key-pair.js'
import { printScript } from '../../engine/step/print-script.js'
import type { Step } from '../../engine/step/step.js'
import { provider } from '../../recipes/providers/local.js'
import { type Generated, generateRecipe } from './generate-recipe.js'
import { partsOf, readPlan } from './printed-plan.js'
import { startTranscript, takeTranscript } from './transcript.js'

/** A bare node whose shells are recorded. */
export interface RecordedShells {
  readonly record: NodeRecord
  readonly connection: Connection
  /** An ssh_config that lets a program in. */
  readonly configFile: string
  remove(): Promise<void>
}

/** Makes a bare local node and puts recorders in front of its shells. */
export async function recordShells(name: string): Promise<RecordedShells> {
  const folder = await mkdtemp(join(tmpdir(), 'kraftwerk-recorded-'))
  const key = generateHostKey()
  const configFile = join(folder, 'config')
  await writeFile(join(folder, 'id'), key.privateKey, { mode: 0o600 })
  await writeFile(configFile, `IdentityFile ${join(folder, 'id')}\nIdentitiesOnly yes\nIdentityAgent none\n`)
  const record = await provider.create({ name, publicKey: key.publicKey, settings: {}, progress: () => undefined })
  const connection = connect({ record, configFile })
  await startTranscript(createNode(record, 'every', connection, 'apply', () => undefined))
  return {
    record,
    connection,
    configFile,
    async remove() {
      await connection.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What one recipe showed. */
export interface Tried {
  readonly steps: number
  /** How many the plan said would change, and of how many it could not know. */
  readonly changes: number
  readonly maybe: number
  /** Where plan and transcript differ; empty where all is well. */
  readonly faults: readonly string[]
}

/**
 * Tries the recipe of a seed: some of it is made true; then the plan is printed as `--dry-run --debug` prints it, the recipe runs,
 * and what the node recorded is held against what was printed. At the end the plan must be empty, and a run change nothing.
 */
export async function tryRecipe({ record, connection }: RecordedShells, seed: number): Promise<Tried> {
  const recipe: Generated = generateRecipe(seed)
  const faults: string[] = []
  const fault = (text: string) => void faults.push(`seed ${seed}: ${text}`)
  const run = async (mode: 'check' | 'apply', steps: readonly Step[]) => {
    let printed = ''
    const report = plainReport(
      (text) => {
        printed += text
      },
      { everything: true },
    )
    const node: Node = createNode(
      record,
      'every',
      connection,
      mode,
      () => undefined,
      (script) => report.note(printScript(record.name, script)),
    )
    await report.list([{ title: 'Generated', run: async (line) => void (await node.apply(`Generated ${seed}`, steps, line)) }])
    return { printed, executed: await takeTranscript(node) }
  }
  const plan = async () => {
    const { printed, executed } = await run('check', recipe.steps)
    const { scripts, said } = readPlan(printed)
    if (executed.some(({ path }) => path.endsWith('/kraft-apply'))) fault('a dry run applied a step')
    const of = (mark: string) => recipe.steps.flatMap(({ title }, index) => (said.get(title) === mark ? [index] : []))
    if (recipe.steps.some(({ title }) => !said.has(title))) fault('the plan leaves out a step')
    return { script: scripts.join(''), changes: of('would change'), maybe: of('maybe') }
  }

  await run('apply', recipe.before)
  const { script, changes, maybe } = await plan()
  const { executed } = await run('apply', recipe.steps)
  const sent = executed.filter(({ path }) => path === 'script')
  if (sent.length !== 1 || sent[0]?.content !== script) fault('the script that ran is not the one that was printed')
  const applied = executed.flatMap((each) =>
    each.path.endsWith('/kraft-apply') ? [{ ...each, step: Number.parseInt(each.path, 10) }] : [],
  )
  const parts = partsOf(script, 'apply')
  for (const { step, content } of applied) {
    if (content !== parts.get(step)) fault(`step ${step} ran something else than was printed`)
    if (!changes.includes(step) && !maybe.includes(step)) fault(`step ${step} ran, which the plan did not say`)
  }
  for (const step of changes)
    if (!applied.some((each) => each.step === step)) fault(`step ${step} did not run, which was planned`)

  const after = await plan()
  if (after.changes.length + after.maybe.length > 0) fault(`on a converged node the plan has ${after.changes}, ${after.maybe}`)
  const again = await run('apply', recipe.steps)
  if (again.executed.some(({ path }) => path.endsWith('/kraft-apply'))) fault('a second run applied something')
  // Of a thousand recipes, each with users of its own, the node would run out of ids.
  const own = `grep -o '^gen-${seed}-[^:]*'`
  await connection.capture(`${own} /etc/passwd | xargs -r -n 1 userdel; ${own} /etc/group | xargs -r -n 1 groupdel`)
  return { steps: recipe.steps.length, changes: changes.length, maybe: maybe.length, faults }
}
