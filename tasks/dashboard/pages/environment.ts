import { html } from 'hono/html'
import { duration, size } from '../../../engine/report/progress-text.js'
import { daysUntil } from '../../../recipes/certificate-end.js'
import { howEnded, type Program } from '../../../recipes/ps.js'
import { describeCode, type HeldRelease, type InstanceState } from '../../../recipes/state.js'
import type { Known } from '../../../recipes/status/look.js'
import { stateOf } from '../../releases.js'
import type { EnvironmentView, InstanceView } from '../environment-watch.js'
import { backupsOf, programsOf, type ServiceFacts, servicesOf } from '../facts.js'
import { chart } from './chart.js'
import { attentionList, type Needed, nodePath, type Page, type Piece, table } from './frame.js'

/** What needs a hand in an environment. What is wrong with a node itself is the node's. */
export function neededIn({ word, nodes, isMixed }: EnvironmentView): readonly Needed[] {
  const on = nodes.flatMap(({ node, attention }) => attention.map((each) => ({ ...each, whose: `${word} on ${node}` })))
  if (!isMixed) return on
  const next = `kraft deploy:${word} or kraft rollback:${word} makes them one`
  return [{ whose: word, what: 'The nodes serve different releases', next }, ...on]
}

/** The page of an environment. */
export function environmentPage(environment: EnvironmentView): Page {
  const { word, project, domain, instance, nodes, backups, backupProblem } = environment
  const rows = (backups ?? []).map(({ id, time, size: bytes, release, services, encrypted, whole }) => [
    id,
    when(time),
    size(bytes),
    release,
    services.join(' '),
    [encrypted ? 'encrypted' : '', whole ? '' : 'NOT WHOLE in S3'].filter((each) => each !== '').join(', '),
  ])
  return {
    title: `${project} ${word}`,
    live: html`<p class="about">${domain ?? ''} ${instance}</p>
${attentionList(neededIn(environment))}
${nodes.map(onNode)}
${table('Backups in S3', ['Id', 'Time', 'Size', 'Release', 'Services', ''], rows)}
${backupProblem === undefined ? '' : html`<p class="bad">The backups can't be listed: ${backupProblem}</p>`}`,
    still: logs(word),
  }
}

function onNode({ node, part, known, problem, history }: InstanceView): Piece {
  const { samples } = history
  const head = html`<h2><a href="${nodePath(node)}">${node}</a> <span class="about">${part}</span></h2>`
  const said = problem === undefined ? '' : html`<p class="bad">${problem.what}</p>`
  if (known === undefined) return html`<section>${head}${problem === undefined ? html`<p>looking</p>` : said}</section>`
  const { state } = known
  return html`<section>${head}${said}
<dl class="facts">${facts(known).map(([what, how]) => html`<dt>${what}</dt><dd>${how}</dd>`)}</dl>
<div class="charts">
${chart({ title: 'Answer of the site', samples, value: 'milliseconds', format: (value) => `${Math.round(value)} ms` })}
${chart({ title: 'Memory of its programs', samples, value: 'memory', format: size })}
</div>
${table(
  'Releases',
  ['Release', 'By', 'Revision', 'Made', 'State'],
  state.releases.map((each) => releaseRow(each, state)),
)}
${table('Programs', ['Name', 'State', 'Since', 'PID', 'Memory', 'Ended'], programsOf(known).map(programRow))}
${table('Services', ['Service', 'State', 'Version', 'Size', 'Beside'], servicesOf(known).map(serviceRow))}
</section>`
}

function facts(known: Known): readonly (readonly [string, Piece | string])[] {
  const { state, certificate, found } = known
  const backup = backupsOf(known)
  return [
    ['release', state.current?.id ?? 'none yet'],
    ...(state.holder === undefined ? [] : [['locked by', state.holder] as const]),
    ...(found.site?.rows ?? []),
    ...(certificate === undefined ? [] : [['certificate', daysLeft(certificate.until)] as const]),
    ...(backup === undefined ? [] : (found.backups?.rows ?? [])),
  ]
}

function daysLeft(until: Date | undefined): string {
  if (until === undefined) return 'none yet'
  const days = daysUntil(until)
  return days < 0 ? 'EXPIRED' : `${days} more day${days === 1 ? '' : 's'}`
}

function releaseRow(release: HeldRelease, state: InstanceState): readonly (Piece | string)[] {
  const { by, at, promoted_from: from } = release.receipt
  const how = stateOf(release, state)
  return [
    release.id,
    by ?? '',
    describeCode(release.receipt),
    at === undefined ? '' : when(at),
    html`<span class="${how}">${[how, ...(from === undefined ? [] : [`promoted from ${from}`])].join(', ')}</span>`,
  ]
}

function programRow({ kind, name, state, seconds, pid, memory, restarts = 0, ...end }: Program): readonly (Piece | string)[] {
  const how = howEnded(end)
  const times = restarts > 0 ? `${restarts} time${restarts === 1 ? '' : 's'}, ` : ''
  const well = state === 'run' || state === 'waiting' || state === 'old'
  return [
    kind === 'cron' ? `cron ${name}` : name,
    well ? state : html`<span class="bad">${state}</span>`,
    seconds === undefined ? '' : duration(seconds),
    pid === undefined ? '' : String(pid),
    memory === undefined ? '' : size(memory),
    how === undefined ? '' : `${times}${how}`,
  ]
}

function serviceRow({ name, up, error, version, size: bytes, ...others }: ServiceFacts): readonly (Piece | string)[] {
  const beside = Object.entries(others).map(([fact, value]) => `${value} ${value === 1 ? fact.replace(/s$/, '') : fact}`)
  return [
    name,
    up === null ? 'is set up' : up ? 'up' : html`<span class="bad">DOWN: ${error}</span>`,
    version === undefined ? '' : String(version),
    typeof bytes === 'number' ? size(bytes) : '',
    beside.join(', '),
  ]
}

/** The logs, which the page's script fills. */
function logs(word: string): Piece {
  return html`<section id="logs" data-word="${word}"><h2>Logs</h2>
<form><label>Log <select name="log"><option value="">all</option></select></label>
<label>With <input name="text" type="search" placeholder="a text" autocomplete="off"></label>
<label><input name="follow" type="checkbox" checked> follow</label></form>
<ol tabindex="0" aria-label="Lines of logs"></ol></section>`
}

/** A moment, from ISO 8601, as people read it. */
function when(time: string): string {
  return time.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')
}
