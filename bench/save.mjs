// `--save`: bench/results.json and the table in bench/README.md.
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

/** Writes what was measured. */
export function save(rows, load) {
  const git = (...args) => spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' }).stdout?.trim() ?? ''
  const result = {
    commit: `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ' with changes'}`,
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    load,
    rows,
  }
  writeFileSync(join(root, 'bench', 'results.json'), `${JSON.stringify(result, null, 2)}\n`)
  const page = join(root, 'bench', 'README.md')
  const { cores, cpu, memory, node } = result.machine
  const text = `${result.date}, commit ${result.commit}; ${cores} cores (${cpu}), ${memory}, Node.js ${node}; load ${load.before} before, ${load.after} after.\n\n${table(rows)}`
  const marks = /(<!-- results -->\n)[\s\S]*?(<!-- end -->)/
  writeFileSync(
    page,
    readFileSync(page, 'utf8').replace(marks, (_, begin, end) => `${begin}${text}\n${end}`),
  )
}
