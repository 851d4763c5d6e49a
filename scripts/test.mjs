#!/usr/bin/env node
// `npm test`: every suite but `docs` (`npm run test:docs`), the time that each took, and one line at the end that sums them up.
// Usage: node scripts/test.mjs [SUITE…]
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
const usual = ['unit', 'package', 'cloud', 'nodes']
const all = [...usual, 'docs']
const chosen = process.argv.slice(2)
for (const name of chosen) {
  if (!all.includes(name)) {
    console.error(`There is no suite "${name}": ${all.join(', ')}`)
    process.exit(2)
  }
}

const folder = mkdtempSync(join(tmpdir(), 'kraft-test-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
let interrupted = false
// The suite gets Ctrl-C as well and clean up; this waits for it.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    interrupted = true
  })

const results = []
for (const name of chosen.length === 0 ? usual : chosen) {
  if (interrupted) break
  results.push(await run(name))
}

console.log()
for (const { name, passed, failed, seconds } of results)
  console.log(`${name}: ${passed} passed, ${failed} failed in ${seconds.toFixed(1)} s`)
const broken = results.flatMap(({ name, failures }) => failures.map((title) => `${name}: ${title}`))
if (broken.length > 0) console.log(`\nFailed:\n${broken.map((title) => `  ${title}`).join('\n')}`)
const sum = (key) => results.reduce((total, result) => total + result[key], 0)
const failed = sum('failed') + (interrupted ? 1 : 0)
console.log()
console.log(`${sum('passed')} passed, ${failed} failed`)
process.exitCode = interrupted ? 130 : failed === 0 ? 0 : 1

async function run(name) {
  console.log(`\n== ${name}`)
  const report = join(folder, `${name}.json`)
  const started = performance.now()
  const args = [
    vitest,
    'run',
    '--root',
    root,
    '--project',
    name,
    // Each page with its time.
    `--reporter=${name === 'docs' ? 'verbose' : 'default'}`,
    '--reporter=json',
    `--outputFile.json=${report}`,
    // More than there are cores: most of them wait for somebody some of the time.
    ...(name === 'unit' || name === 'nodes' ? ['--maxWorkers=3'] : []),
  ]
  const child = spawn(process.execPath, args, { stdio: 'inherit', cwd: root })
  const code = await new Promise((done) => child.on('close', (status) => done(status ?? 1)))
  const seconds = (performance.now() - started) / 1000
  const counts = count(report)
  // A suite that ends badly with no test to blame (an error outside of tests, a file that does not load) fails all the same.
  if (code !== 0 && counts.failed === 0) counts.failed = 1
  return { name, seconds, ...counts }
}

function count(report) {
  if (!existsSync(report)) return { passed: 0, failed: 1, failures: ['the suite did not end'] }
  const {
    numPassedTests,
    numFailedTests,
    numPendingTests = 0,
    numTodoTests = 0,
    testResults = [],
  } = JSON.parse(readFileSync(report, 'utf8'))
  const unloaded = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((each) => each.status === 'failed'),
  )
  const failedTests = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map((each) => `${relative(root, name)}: ${each.fullName}`),
  )
  const skipped = numPendingTests + numTodoTests
  // A skipped test proves nothing.
  if (skipped > 0) console.error(`${skipped} tests were skipped, which counts as failed`)
  return {
    passed: numPassedTests,
    failed: numFailedTests + unloaded.length + skipped,
    failures: [...failedTests, ...unloaded.map(({ name }) => `${relative(root, name)} could not be loaded or set up`)],
  }
}
