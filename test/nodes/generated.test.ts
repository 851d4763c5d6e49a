import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { useTemplates } from '../../engine/template/find.js'
import { removeState, stateFrom } from '../../recipes/providers/local/state.js'
import { soak } from '../rig/soak.js'
import { type RecordedShells, recordShells, type Tried, tryRecipe } from '../rig/try-recipe.js'

// What a dry run prints is what runs: on generated recipes, by the node's own record. npm run soak takes more of them.
const state = stateFrom(process.env)
const { count, first, write } = soak('recipes', 40)
let shells: RecordedShells
let folder: string

beforeAll(async () => {
  await removeState(state)
  folder = await mkdtemp(join(tmpdir(), 'kraft-generated-'))
  await mkdir(join(folder, 'templates'))
  await writeFile(join(folder, 'templates/generated.conf.ejs'), 'jobs = <%= jobs %>\n<%= text %>\n')
  useTemplates([join(folder, 'templates')])
  shells = await recordShells('generated')
})
afterAll(async () => {
  useTemplates([])
  await shells?.remove()
  await removeState(state)
  await rm(folder, { recursive: true, force: true })
})

test(
  `of ${count} generated recipes the printed plan is the transcript of the run, and empty on a converged node`,
  async () => {
    const started = performance.now()
    const tried: Tried[] = []
    for (let seed = first; seed < first + count; seed += 1) tried.push(await tryRecipe(shells, seed))
    const sum = (of: (each: Tried) => number) => tried.reduce((total, each) => total + of(each), 0)
    const result = {
      recipes: tried.length,
      firstSeed: first,
      steps: sum(({ steps }) => steps),
      planned: sum(({ changes }) => changes),
      maybe: sum(({ maybe }) => maybe),
      faults: tried.flatMap(({ faults }) => faults),
      seconds: Math.round((performance.now() - started) / 1000),
    }
    await write(result)
    expect(result.faults).toEqual([])
    // A generator that makes nothing to plan, or nothing that is there already, would prove nothing.
    expect(result.planned).toBeGreaterThan(count * 2)
    expect(result.planned).toBeLessThan(result.steps)
    expect(result.maybe).toBeGreaterThan(0)
  },
  600_000 + count * 5000,
)
