import { html } from 'hono/html'
import { size } from '../../../engine/report/progress-text.js'
import type { Resident } from '../../../recipes/residents.js'
import { percentUsed } from '../../../recipes/status/measures.js'
import type { EnvironmentView } from '../environment-watch.js'
import type { NodeView } from '../node-watch.js'
import type { Views } from '../watch.js'
import { chart } from './chart.js'
import { attentionList, environmentPath, type Needed, nodePath, type Page, type Piece, table } from './frame.js'

/** What needs a hand on a node itself. */
export function neededOn({ name, problem, machine }: NodeView): readonly Needed[] {
  const all = [...(problem === undefined ? [] : [problem]), ...(machine?.attention ?? [])]
  return all.map((each) => ({ ...each, whose: name }))
}

/** A node on the first page. */
export function nodeCard(node: NodeView, environments: readonly EnvironmentView[]): Piece {
  const names = node.residents.map((resident) => html`<li>${residentName(resident, environments)}</li>`)
  return html`<li class="card${neededOn(node).length > 0 ? ' ill' : ''}">
<h3><a href="${nodePath(node.name)}">${node.name}</a> ${reach(node)}</h3>
<p class="about">${node.provider}, ${node.address}</p>
${gauges(node)}
${names.length === 0 ? '' : html`<ul class="residents" aria-label="On it">${names}</ul>`}
</li>`
}

/** The page of a node. */
export function nodePage(node: NodeView, { environments }: Views): Page {
  const { samples } = node.history
  const disks = (node.measures?.disks ?? []).map(({ path }) =>
    chart({ title: `Disk ${path}`, samples, value: `disk ${path}`, format: percent, top: 100 }),
  )
  const system = (node.machine?.rows ?? []).filter(([what]) => what === 'system')
  const rows = node.residents.map((resident) => [
    residentName(resident, environments),
    resident.project,
    resident.environment ?? '',
    resident.release ?? 'none',
  ])
  return {
    title: node.name,
    live: html`<p class="about">${node.provider}, ${node.address} ${reach(node)}</p>
${attentionList(neededOn(node))}
<section>${gauges(node)}
${system.map(([, how]) => html`<p>${how}</p>`)}
<div class="charts">
${chart({ title: 'Load', samples, value: 'load', format: (value) => value.toFixed(2) })}
${chart({ title: 'Memory', samples, value: 'memory', format: percent, top: 100 })}
${disks}</div></section>
${table('On this node', ['Name', 'Project', 'Environment', 'Release'], rows)}`,
  }
}

function reach({ isReached }: NodeView): Piece {
  if (isReached === undefined) return html`<span class="state">looking</span>`
  return isReached ? html`<span class="state good">up</span>` : html`<span class="state bad">not reached</span>`
}

// As they were last, where a node is not reached any more.
function gauges({ measures }: NodeView): Piece | string {
  if (measures === undefined) return ''
  const { load, cpus, memory, disks } = measures
  const gauge = (title: string, bytes: number, free: number) => {
    const used = percentUsed(bytes, free)
    return html`<dt>${title}</dt><dd><meter min="0" max="100" high="90" low="75" optimum="0" value="${used}" aria-label="${title}">${used}%</meter> <span>${used}% of ${size(bytes)}</span></dd>`
  }
  return html`<dl class="gauges">
${disks.map(({ path, size: bytes, free }) => gauge(`disk ${path}`, bytes, free))}
${gauge('memory', memory.size, memory.available)}
<dt>load</dt><dd>${load.map((each) => each.toFixed(2)).join(' ')} on ${cpus} CPU${cpus === 1 ? '' : 's'}</dd>
</dl>`
}

function residentName({ name, project, environment }: Resident, environments: readonly EnvironmentView[]): Piece {
  const own = environments.find((each) => each.project === project && each.environment === environment && each.instance === name)
  if (own !== undefined) return html`<a href="${environmentPath(own.word)}">${name}</a>`
  return html`${name} <span class="about">(${environment === undefined ? project : `${project}, ${environment}`})</span>`
}

function percent(value: number): string {
  return `${Math.round(value)}%`
}
