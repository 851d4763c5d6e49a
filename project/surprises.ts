import { readlinkSync } from 'node:fs'
import { isAbsolute, join, posix } from 'node:path'
import type { Fingerprint } from '../engine/transfer/fingerprint.js'

/** Beyond these a project is rarely what somebody meant to send. */
const manyBytes = 100 * 1024 * 1024
const manyFiles = 20_000
const wayAround = 'a line in .kraftignore leaves it out'

/**
 * What somebody may not have meant to send, in words: virtualenvs, packages of Node.js, databases, much of anything, links that lead
 * out of the project, repositories that stay behind.
 *
 * @example surprises('/home/ada/shop', files, []) // ['db.sqlite3 is a database, …']
 */
export function surprises(folder: string, files: readonly Fingerprint[], repositories: readonly string[]): readonly string[] {
  const said: string[] = []
  const count = (top: string) => files.filter(({ path }) => path.startsWith(`${top}/`)).length
  for (const { path, kind } of files) {
    const name = posix.basename(path)
    const above = posix.dirname(path)
    if (name === 'pyvenv.cfg') said.push(`${above} is a virtualenv (${count(above)} files): ${wayAround}`)
    if (/\.(sqlite3?|db)$/.test(name)) {
      said.push(`${path} is a database that every deploy replaces and the application can't write: ${wayAround}`)
    }
    if (kind === 'link' && leadsOut(path, readlinkSync(join(folder, path)))) {
      said.push(`${path} is a link that leads out of the project; it is sent as it is`)
    }
  }
  const modules = new Set(files.flatMap(({ path }) => /^(?:.*\/)?node_modules(?=\/)/.exec(path)?.[0] ?? []))
  for (const path of [...modules].filter((each) => !/node_modules\/.*node_modules$/.test(each))) {
    said.push(`${path} goes along (${count(path)} files): ${wayAround}`)
  }
  for (const path of repositories) {
    said.push(`${path} is a git repository of its own and stays behind: !/${path}/ in .kraftignore takes it along`)
  }
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const largest = [...files].sort((a, b) => b.size - a.size).slice(0, 3)
  if (bytes > manyBytes) {
    const names = largest.map(({ path, size }) => `${path} (${mebibytes(size)} MiB)`).join(', ')
    said.push(`The project has ${mebibytes(bytes)} MiB, the most of it in ${names}: ${wayAround}`)
  }
  if (files.length > manyFiles) said.push(`The project has ${files.length} files, ${fullest(files)}: ${wayAround}`)
  return said
}

function leadsOut(path: string, target: string): boolean {
  return isAbsolute(target) || posix.join(posix.dirname(path), target).split('/')[0] === '..'
}

function fullest(files: readonly Fingerprint[]): string {
  const counts = new Map<string, number>()
  for (const { path } of files) {
    const top = path.split('/')[0] ?? path
    counts.set(top, (counts.get(top) ?? 0) + 1)
  }
  const [name = '', count = 0] = [...counts].reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0] as [
    string,
    number,
  ])
  return `${count} of them in ${name}`
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}
