import { paintDiff } from '../engine/report/paint-diff.js'
import type { Deployed, NodeDiff } from './diff-node.js'

/** So many files are named; `--json` has all. */
const most = 50

/** Whether a deploy would change anything there. */
export function differs({ role, release, commits, files, touched, requirements, configuration }: NodeDiff): boolean {
  if (role !== null) return configuration.length > 0
  const commitsDiffer = commits !== null && commits.added.length + commits.removed.length > 0
  const unknown = files === null || requirements === null
  return (
    release === null || unknown || commitsDiffer || [files, touched, requirements, configuration].some((list) => list.length > 0)
  )
}

/** What differs on each node, for people; nodes of which the same is to be said are named together. */
export function diffText(all: readonly NodeDiff[], { color }: { readonly color: boolean }): string {
  const groups = new Map<string, string[]>()
  for (const each of all) {
    const body = sections(each).join('\n')
    groups.set(body, [...(groups.get(body) ?? []), each.node])
  }
  const text = [...groups].map(([body, nodes]) => `${nodes.join(', ')}: ${body}`).join('\n\n')
  return color ? text.split('\n').map(painted).join('\n') : text
}

// A line that is not indented is a heading.
function painted(row: string): string {
  if (/^\S/.test(row)) return `\x1b[1m${row}\x1b[0m`
  const indent = row.length - row.trimStart().length
  return row.slice(0, indent) + paintDiff(row.slice(indent))
}

function sections(found: NodeDiff): readonly string[] {
  const { role, release } = found
  const other = role === 'db' ? 'data for the others' : (role ?? undefined)
  if (release === null && other === undefined) return ['nothing is deployed there yet']
  const what = release === null ? (other ?? '') : describe(release)
  if (!differs(found)) return [`${what}; a deploy would change nothing`]
  return [what, ...(other === undefined ? releaseSections(found) : []), ...section('Configuration', configurationRows(found))]
}

function releaseSections(found: NodeDiff): readonly string[] {
  const { commits, files, touched, requirements } = found
  return [
    ...section('Commits', commits === null ? undefined : commitRows(commits)),
    ...section('Files', files === null ? ['  the node does not know what it was made of'] : fileRows(files)),
    ...section(
      'Changed on the node since',
      touched.map((path) => `  ${path}`),
    ),
    ...section(
      'Requirements',
      requirements === null
        ? ['  the node does not know what it was made of']
        : requirements.flatMap(({ before, after }) => [
            ...(before === null ? [] : [`  - ${before}`]),
            ...(after === null ? [] : [`  + ${after}`]),
          ]),
    ),
  ]
}

function configurationRows({ configuration }: NodeDiff): readonly string[] {
  return configuration.flatMap(({ title, diff }) => [`  ${title}`, ...diff.map((row) => `    ${row}`.trimEnd())])
}

function section(title: string, rows: readonly string[] | undefined): readonly string[] {
  return rows === undefined || rows.length === 0 ? [] : [title, ...rows]
}

function describe({ id, commit, revision, dirty, by }: Deployed): string {
  const code = [
    revision,
    commit?.slice(0, 7),
    dirty ? 'with changes that were not committed' : null,
    by === null ? null : `by ${by}`,
  ]
  const known = code.filter((part) => part !== null && part !== undefined)
  return `release ${id}${known.length === 0 ? '' : ` (${known.join(', ')})`}`
}

function commitRows({ added, removed }: NonNullable<NodeDiff['commits']>): readonly string[] {
  const rows = [...added.map((each) => ({ sign: '+', ...each })), ...removed.map((each) => ({ sign: '-', ...each }))]
  return rows.map(({ sign, commit, title, by }) => `  ${sign} ${commit.slice(0, 7)} ${title} (${by})`)
}

const words = { added: '+', removed: '-', changed: '~', mode: '~' } as const

function fileRows(files: NonNullable<NodeDiff['files']>): readonly string[] {
  const rows = files.map(({ path, change }) => `  ${words[change]} ${path}${change === 'mode' ? ' (mode)' : ''}`)
  return rows.length <= most ? rows : [...rows.slice(0, most), `  and ${rows.length - most} more`]
}
