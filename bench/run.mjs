#!/usr/bin/env node
// `npm run bench`: what kraft costs, as medians with the machine's noise, on a real node of its own.
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import * as again from './again.mjs'
import * as command from './command.mjs'
import * as connection from './connection.mjs'
import * as data from './data.mjs'
import * as demo from './demo.mjs'
import * as deploy from './deploy.mjs'
import * as dev from './dev.mjs'
import * as fanout from './fanout.mjs'
import * as forty from './forty.mjs'
import * as list from './list.mjs'
import * as peers from './peers.mjs'
import { call, guestbook, prepare, removeNodes } from './place.mjs'
import { machine, save, write } from './save.mjs'
import { table } from './table.mjs'
import * as upload from './upload.mjs'
import * as watch from './watch.mjs'

const parts = { list, command, connection, forty, fanout, upload, deploy, dev, watch, peers, data, again, demo }
const usage = `Usage: npm run bench -- [PART…] [--runs N] [--save]
Parts: ${Object.entries(parts)
  .map(([name, { about }]) => `${name} (${about})`)
  .join(', ')}
--runs N  how often the slow ones run, 5 if left out; the quick ones run several times as often
--save    keep what was measured in bench/results.json and bench/README.md
`
const node = 'bench'

const { values, positionals } = arguments_()
const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupt.abort(new Error('Interrupted')))
const { signal } = interrupt
const say = (text) => process.stderr.write(`${text}\n`)
const load = () => loadavg()[0]?.toFixed(1)
const before = load()
const measured = []
try {
  await prepare()
  await measureAll()
} catch (error) {
  // What was measured before is shown all the same, and not saved.
  process.exitCode = signal.aborted ? 130 : 1
  if (!signal.aborted) console.error(error)
} finally {
  say('Removing the node')
  await removeNodes()
}
const rows = measured.flatMap((part) => part.rows)
if (rows.length > 0) {
  const { cores, node: version } = machine()
  process.stdout.write(`\n${cores} cores, Node.js ${version}, load ${before} before and ${load()} after\n\n${table(rows)}\n`)
}
if (values.save && !process.exitCode) {
  for (const { name, rows, load } of measured) save(name, rows, load)
  write(parts)
}

async function measureAll() {
  const chosen = positionals.length === 0 ? Object.keys(parts) : positionals
  let project
  for (const name of chosen) {
    const part = parts[name]
    if (part.needsNode) project ??= await makeNode()
    say(`Measuring ${part.about}`)
    const rows = []
    const start = load()
    await part.measure({ runs: Number(values.runs), signal, row: (row) => rows.push(row), node, project })
    measured.push({ name, rows, load: { before: start, after: load() } })
  }
}

async function makeNode() {
  const project = guestbook()
  say('Making a node (the first time with its image, about a minute) and preparing it')
  await call(['provision', node], { signal })
  await call([`bootstrap:${node}`], { signal })
  await call([`deploy:${node}`], { cwd: project, signal })
  return project
}

function arguments_() {
  const options = { runs: { type: 'string', default: '5' }, save: { type: 'boolean', default: false }, help: { type: 'boolean' } }
  const given = parseArgs({ options, allowPositionals: true })
  const unknown = given.positionals.find((name) => !Object.hasOwn(parts, name))
  const wrong = unknown !== undefined || !/^[1-9]\d*$/.test(given.values.runs)
  if (!wrong && given.values.help !== true) return given
  process.stderr.write(usage)
  process.exit(wrong ? 2 : 0)
}
