// `--save`: bench/results.json and the tables in bench/README.md, part by part.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { root } from './place.mjs'
import { table } from './table.mjs'

/** The machine, as far as it decides on times. */
export function machine() {
  const [cpu] = cpus()
  return {
    cores: cpus().length,
    cpu: cpu?.model ?? 'unknown',
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    kernel: release(),
    node: process.version,
  }
}

/** Writes what was measured of a part; what was kept of others stays. */
export function save(name, rows, load) {
  const git = (...args) => spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' }).stdout?.trim() ?? ''
  const changed = git('status', '--porcelain', '--', '.', ':!bench/results.json', ':!bench/README.md') !== ''
  const commit = `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`
  const file = join(root, 'bench', 'results.json')
  const kept = JSON.parse(readFileSync(file, 'utf8'))
  kept[name] = { commit, date: new Date().toISOString().slice(0, 10), machine: machine(), load, rows }
  writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`)
}

/** Writes what is kept of all `parts` for people. */
export function write(parts) {
  const kept = JSON.parse(readFileSync(join(root, 'bench', 'results.json'), 'utf8'))
  const sections = Object.entries(parts).map(([name, { about }]) => {
    const { commit, date, machine, load, rows } = kept[name] ?? {}
    if (rows === undefined) return `### ${about}\n\nNot measured yet.`
    const { cores, cpu, memory, node } = machine
    const where = `${cores} cores (${cpu}), ${memory}, Node.js ${node}; load ${load.before} before, ${load.after} after.`
    return `### ${about}\n\n${date}, commit ${commit}; ${where}\n\n${table(rows)}`
  })
  const page = join(root, 'bench', 'README.md')
  const marks = /(<!-- results -->\n)[\s\S]*?(<!-- end -->)/
  writeFileSync(
    page,
    readFileSync(page, 'utf8').replace(marks, (_, begin, end) => `${begin}${sections.join('\n\n')}\n${end}`),
  )
}
