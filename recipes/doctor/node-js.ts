import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isOlder, leastOf } from '../../engine/cli/is-older.js'
import type { Check } from './check.js'
import { type Finding, wrong } from './finding.js'

/** The Node.js that runs kraft. */
export const nodeJs: Check = {
  name: 'nodejs',
  title: 'Node.js',
  async look({ session }) {
    const { engines } = JSON.parse(await readFile(join(session.root, 'package.json'), 'utf8'))
    return [{ about: 'Node.js', said: process.versions.node, findings: tooOld(process.versions.node, String(engines.node)) }]
  },
}

/** What there is to say of a version, against what package.json asks for: `>=20.19`. */
export function tooOld(version: string, wanted: string): readonly Finding[] {
  if (!isOlder(version, wanted)) return []
  return [wrong(`${version} is older than ${leastOf(wanted)}, which kraft needs`, 'Install a newer one: https://nodejs.org')]
}
