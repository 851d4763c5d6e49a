#!/usr/bin/env node
// `npm run soak`: what takes too long for npm test, on real nodes. Each soak is a test file that is asked for more; its result is kept
// under its name in bench/soak.json, beside those from other seeds: a long one can be run in parts.
// Usage: npm run soak -- [NAME [COUNT [FIRST_SEED]]]; without a name all of them.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const soaks = {
  // What a dry run prints of generated recipes is what runs.
  recipes: { project: 'nodes', file: 'test/nodes/generated.test.ts', count: 1000 },
  // Under 200 requests a second; a rollback and a reload after every fifth of them.
  deploys: { project: 'nodes', file: 'test/nodes/releases.test.ts', count: 1000 },
  // kraft is killed at random moments of a deploy, under load.
  faults: { project: 'nodes', file: 'test/nodes/faults.test.ts', count: 500 },
  // kraft is killed, the network or the power is cut, at each phase of a deploy; all there are.
  phases: { project: 'nodes', file: 'test/nodes/faults.test.ts', count: 100 },
  // kraft is killed at each moment of a move; all there are.
  moves: { project: 'nodes', file: 'test/nodes/move.test.ts', count: 10 },
  // Applications that know nothing of kraft, from init to an answer.
  existing: { project: 'nodes', file: 'test/nodes/existing.test.ts', count: 8 },
  // Eight contend for the lock of an instance.
  lock: { project: 'unit', file: 'test/engine/node/contenders.test.ts', count: 200 },
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
const results = join(root, 'bench/soak.json')
const [name, ...numbers] = process.argv.slice(2)
if (name !== undefined && !Object.hasOwn(soaks, name)) refuse(`There is no soak "${name}"`)
for (const number of numbers) if (!/^[1-9]\d*$/.test(number)) refuse(`"${number}" is not a number`)

const folder = mkdtempSync(join(tmpdir(), 'kraft-soak-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
let interrupted = false
// The suite gets Ctrl-C as well and cleans up; this waits for it.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    interrupted = true
  })
for (const each of name === undefined ? Object.keys(soaks) : [name]) {
  if (!interrupted && (await run(each)) !== 0) process.exitCode = 1
}

async function run(each) {
  const { project, file, count } = soaks[each]
  const [asked = count, seed = 1] = numbers
  const result = join(folder, `${each}.json`)
  const child = spawn(process.execPath, [vitest, 'run', '--root', root, '--project', project, file], {
    stdio: 'inherit',
    cwd: root,
    env: {
      ...process.env,
      KRAFT_SOAK: each,
      KRAFT_SOAK_COUNT: String(asked),
      KRAFT_SOAK_SEED: String(seed),
      KRAFT_SOAK_FILE: result,
    },
  })
  const code = await new Promise((done) => child.on('close', (status) => done(status ?? 1)))
  if (code !== 0) return code
  const all = JSON.parse(readFileSync(results, 'utf8'))
  const others = (all[each] ?? []).filter((run) => run.firstSeed !== Number(seed))
  all[each] = [...others, { firstSeed: Number(seed), ...JSON.parse(readFileSync(result, 'utf8')) }]
  writeFileSync(results, `${JSON.stringify(all, null, 2)}\n`)
  console.log(`The result of ${each} is in ${results}`)
  return code
}

function refuse(what) {
  console.error(`${what}: npm run soak -- [${Object.keys(soaks).join('|')}] [COUNT] [FIRST_SEED]`)
  process.exit(2)
}
