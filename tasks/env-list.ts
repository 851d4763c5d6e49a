import { isUtf8 } from 'node:buffer'
import type { Line } from '../engine/report/report.js'
import { isSecret, reveal, type Secret } from '../engine/shell/secret.js'
import { Result } from '../engine/task/result.js'
import type { Session } from '../engine/task/session.js'
import { environOrigin } from '../project/environ-origin.js'
import type { Instance } from '../project/instance.js'
import { environLayers, readApplication, withFetched } from '../recipes/application.js'
import type { EnvironEntry } from '../recipes/environ.js'
import type { KeptOn } from './kept-environ.js'
import { withServices } from './service-node.js'

interface Row {
  readonly name: string
  readonly from: string
  readonly value: string
}

/** The names of all that the application finds, with where each comes from; `show` tells the values too. */
export async function listEnviron(
  instance: Instance,
  kept: readonly KeptOn[],
  { show, history }: { readonly show: boolean; readonly history: boolean },
  line: Line,
  session: Session,
): Promise<Result> {
  if (history) return listHistory(instance, kept)
  const rows = await rowsOf(instance, kept, show, line, session)
  const waiting = notInUse(kept)
  if (waiting.length > 0) line.output(`${waiting.join(', ')}: the processes take that up with the next reload or deploy`)
  const table = [
    ['NAME', ...(show ? ['VALUE'] : []), 'FROM'],
    ...rows.map(({ name, value, from }) => [name, ...(show ? [printable(value)] : []), from]),
  ]
  const data = rows.map(({ name, value, from }) => ({
    name,
    from,
    ...(show ? { value } : {}),
    ...(waiting.includes(name) ? { inUse: false } : {}),
  }))
  return new Result(columns(table), data, undefined, show)
}

async function rowsOf(
  instance: Instance,
  kept: readonly KeptOn[],
  show: boolean,
  line: Line,
  session: Session,
): Promise<readonly Row[]> {
  const { project, environment, settings } = instance
  const [first] = kept
  if (first === undefined) return []
  // What is in a vault is fetched only where it is to be seen.
  const fetched = await withFetched(await readApplication(instance), !show, () => undefined)
  const application = show ? await withServices(fetched, session, true) : fetched
  const place = { place: instance, id: first.release ?? '-', generation: '-' }
  const rows = new Map<string, Row>([
    ['SECRET_KEY', { name: 'SECRET_KEY', from: 'made on the node, which it never leaves', value: '' }],
  ])
  for (const { service } of application.services) {
    const from = `service ${service.name}, on the node`
    for (const name of service.made ?? []) rows.set(name, { name, from, value: '' })
  }
  for (const { from, values } of environLayers(application, place, first.node.record)) {
    for (const [name, value] of Object.entries(values)) {
      const said = from === 'kraftwerk.yaml' ? environOrigin(project, environment, name)?.words : undefined
      const { vault } = settings.vaults[name] ?? {}
      rows.set(name, { name, from: [vault, said ?? from].filter((part) => part !== undefined).join(', '), value: textOf(value) })
    }
  }
  const typed = project.variables?.environ ?? {}
  for (const name of [...new Set(kept.flatMap(({ variables }) => [...variables.keys()]))]) {
    if (Object.hasOwn(typed, name)) continue
    const having = kept.filter(({ variables }) => variables.has(name))
    const values = [...new Set(having.map(({ variables }) => variables.get(name)?.toString() ?? ''))]
    if (having.some(({ variables }) => !isUtf8(variables.get(name) ?? Buffer.alloc(0)))) {
      line.output(`${name} holds bytes that are no text; kraft env:TARGET pull FILE keeps them as they are`)
    }
    const where =
      having.length === kept.length ? 'set on the node' : `set on ${having.map(({ node }) => node.name).join(', ')} only`
    rows.set(name, { name, from: values.length > 1 ? `${where}, to different values` : where, value: values[0] ?? '' })
  }
  return [...rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Names whose processes run with something else, or still run with although they were unset. */
function notInUse(kept: readonly KeptOn[]): readonly string[] {
  const found = kept.flatMap(({ release, variables, used }) => {
    if (release === undefined) return []
    const names = [...new Set([...variables.keys(), ...used.keys()])]
    return names.filter((name) => variables.get(name)?.toString('latin1') !== used.get(name)?.toString('latin1'))
  })
  return [...new Set(found)].sort()
}

function listHistory({ name }: Instance, kept: readonly KeptOn[]): Result {
  const entries = kept.flatMap(({ history }) => history)
  // Of several nodes each has written the same.
  const different = [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()].sort((a, b) =>
    a.at < b.at ? -1 : 1,
  )
  if (different.length === 0) return new Result(`Nothing was ever set for ${name}`, [])
  return new Result(columns([['WHEN', 'WHO', 'WHAT'], ...different.map((each) => [each.at, each.by, whatOf(each)])]), different)
}

function whatOf({ set, unset }: EnvironEntry): string {
  const parts = [set.length === 0 ? [] : `set ${set.join(', ')}`, unset.length === 0 ? [] : `unset ${unset.join(', ')}`]
  return parts.flat().join('; ')
}

function textOf(value: string | Secret): string {
  return isSecret(value) ? reveal(value) : value
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach the terminal.
const control = /[\x00-\x1f\x7f-\x9f]/

function printable(value: string): string {
  return control.test(value) ? JSON.stringify(value) : value
}

function columns(table: readonly (readonly string[])[]): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
