#!/usr/bin/env node
// `npm run demo`: from a folder to a live site, with what a user would type. `npm run demo -- --down` removes everything again.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const usage = `Usage: npm run demo             make a node on this machine and deploy examples/guestbook to it
       npm run demo -- --down   remove the node, and what local nodes share if it was the last one
`
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const example = join(root, 'examples', 'guestbook')
const paint = (code, text) => (process.stdout.isTTY && process.env.NO_COLOR === undefined ? `\x1b[${code}m${text}\x1b[0m` : text)
const say = (text = '') => process.stdout.write(`${text}\n`)

/** Ends the demo with an exit code; what went wrong was shown already. */
class Stop extends Error {
  constructor(code) {
    super(`stopped with ${code}`)
    this.code = code
  }
}

let child
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    interrupted = true
    // kraft gives its locks back and ends by itself; the demo waits for that.
    child?.kill('SIGINT')
  })

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Stop)) throw error
  process.exitCode = error.code
}

async function main(args) {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage)
    return 0
  }
  const unknown = args.find((arg) => arg !== '--down')
  if (unknown !== undefined) {
    process.stderr.write(`The demo does not know "${unknown}"\n${usage}`)
    return 2
  }
  build()
  return args.includes('--down') ? down() : up()
}

async function up() {
  const started = performance.now()
  say(paint(1, '$ cd examples/guestbook'))
  await kraft('provision', 'demo')
  await kraft('bootstrap:demo')
  const said = await kraft('deploy:demo')
  await kraft('run:demo', '--', 'manage.py', 'check')
  const url = /^https?:\/\/\S+$/m.exec(said)?.[0]
  if (url === undefined) {
    process.stderr.write('kraft deploy:demo named no address\n')
    return 1
  }
  return (await answers(url)) ? done(url, (performance.now() - started) / 1000) : 1
}

function done(url, seconds) {
  say()
  say(`Open ${paint('1;4', url)} in a browser on this machine. That took ${Math.round(seconds)} s.`)
  say('Look around:  cd examples/guestbook && npx kraft shell:demo')
  say('Remove it:    npm run demo -- --down')
  return 0
}

// Once and no more: after a deploy the site answers, or the deploy was not done.
async function answers(url) {
  say(`\n${paint(1, `GET ${url}`)}  (asked from this machine)`)
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(20_000) })
    const title = /<title>\s*([^<]*?)\s*<\/title>/.exec(await response.text())?.[1] ?? ''
    say(`HTTP ${response.status}  <title>${title}</title>`)
    return response.ok
  } catch (error) {
    process.stderr.write(`${url} does not answer: ${error.cause?.message ?? error.message}\n`)
    return false
  }
}

async function down() {
  const known = JSON.parse(await kraft('nodes', '--json'))
  if (known.some(({ name, provider }) => name === 'demo' && provider === 'local')) await kraft('terminate:demo', '--yes')
  else say('There is no local node called demo.')
  const module = (path) => import(pathToFileURL(join(root, 'dist', path)).href)
  const { removeState, stateFrom } = await module('recipes/providers/local/state.js')
  const state = stateFrom(process.env)
  const others = existsSync(join(state.root, 'addresses')) ? readdirSync(join(state.root, 'addresses')).length : 0
  if (others > 0) {
    say(`${state.root} stays: other local nodes (${others}) use its image and its package caches.`)
  } else if (existsSync(state.root)) {
    await removeState(state, { caches: true })
    say(`${state.root} is gone: the image and the package caches.`)
  }
  say('Debian packages that were installed on this machine for local nodes stay; docs/local.md lists them.')
  return 0
}

function build() {
  if (existsSync(join(root, 'dist', 'build.json'))) return
  try {
    createRequire(import.meta.url).resolve('typescript/package.json')
  } catch {
    process.stderr.write('The packages of kraftwerk are not installed: npm ci\n')
    throw new Stop(1)
  }
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' })
  if (status !== 0) throw new Stop(status ?? 1)
}

/** Shows and runs one command as a user would type it, in the example's folder; returns what it printed as its result. */
async function kraft(...args) {
  if (interrupted) throw new Stop(130)
  say(`\n${paint(1, `$ kraft ${args.join(' ')}`)}`)
  // Without stdin there is nobody to ask, so that the demo needs no hand.
  child = spawn(process.execPath, [join(root, 'dist', 'kraft.js'), ...args], {
    cwd: example,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text
    process.stdout.write(text)
  })
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve(status ?? 130))
  })
  child = undefined
  if (interrupted) throw new Stop(130)
  if (code !== 0) throw new Stop(code)
  return printed
}
