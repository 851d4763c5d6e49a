#!/usr/bin/env node
// `npm run soak`: what takes too long for npm test. Runs 1,000 generated recipes on a real local node and writes the result to
// bench/soak.json. Usage: node scripts/soak.mjs [RECIPES] [FIRST_SEED]
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
const [recipes = '1000', seed = '1'] = process.argv.slice(2)
for (const number of [recipes, seed]) {
  if (!/^[1-9]\d*$/.test(number)) {
    console.error(`"${number}" is not a number: node scripts/soak.mjs [RECIPES] [FIRST_SEED]`)
    process.exit(2)
  }
}
const file = join(root, 'bench/soak.json')
const env = { ...process.env, KRAFT_SOAK_RECIPES: recipes, KRAFT_SOAK_SEED: seed, KRAFT_SOAK_FILE: file }
const child = spawn(process.execPath, [vitest, 'run', '--root', root, '--project', 'nodes', 'test/nodes/generated.test.ts'], {
  stdio: 'inherit',
  cwd: root,
  env,
})
// The suite gets Ctrl-C as well and cleans up; this waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined)
process.exitCode = await new Promise((done) => child.on('close', (status) => done(status ?? 1)))
if (process.exitCode === 0) console.log(`The result is in ${file}`)
