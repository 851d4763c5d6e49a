import { html } from 'hono/html'
import type { EnvironmentView, InstanceView } from '../environment-watch.js'
import { programsOf, siteOf } from '../facts.js'
import type { Views } from '../watch.js'
import { neededIn } from './environment.js'
import { attentionList, environmentPath, type Page, type Piece } from './frame.js'
import { neededOn, nodeCard } from './nodes.js'

/** The first page: what needs a hand, nodes, environments. */
export function overview(views: Views): Page {
  const { nodes, environments, problems } = views
  const needed = [
    ...problems.map((each) => ({ ...each, whose: 'kraftwerk.yaml' })),
    ...nodes.flatMap(neededOn),
    ...environments.flatMap(neededIn),
  ]
  const projects = [...new Set(environments.map(({ project }) => project))]
  return {
    title: 'Overview',
    live: html`${attentionList(needed)}
${projects.map(
  (project) => html`<section><h2>${project}</h2><ul class="cards">
${environments.filter((each) => each.project === project).map(environmentCard)}</ul></section>`,
)}
<section><h2>Nodes</h2><ul class="cards">${nodes.map((node) => nodeCard(node, environments))}</ul></section>`,
  }
}

function environmentCard(environment: EnvironmentView): Piece {
  return html`<li class="card${neededIn(environment).length > 0 ? ' ill' : ''}">
<h3><a href="${environmentPath(environment.word)}">${environment.word}</a></h3>
<p class="about">${environment.domain ?? environment.instance}</p>
${environment.nodes.map((each) => html`<dl class="on"><dt>${each.node}</dt><dd>${onNode(each)}</dd></dl>`)}
</li>`
}

function onNode({ known, problem, part }: InstanceView): Piece {
  if (problem !== undefined) return html`<span class="bad">${problem.what}</span>`
  if (known === undefined) return html`looking`
  if (!part.startsWith('web') && !part.startsWith('processes')) return html`${part}`
  const { current } = known.state
  if (current === undefined) return html`no release yet`
  const programs = programsOf(known).filter(({ kind }) => kind === 'web' || kind === 'process')
  const running = programs.filter(({ state }) => state === 'run').length
  return html`release <b>${current.id}</b><br>${siteText(known)}${running} of ${programs.length} program${programs.length === 1 ? '' : 's'} run`
}

function siteText(known: NonNullable<InstanceView['known']>): Piece | string {
  const site = siteOf(known)
  if (site === undefined || site.code === null) return ''
  const closed = site.closed === null ? '' : `${site.closed}, `
  return html`site ${closed}${site.code === 0 ? html`<span class="bad">no answer</span>` : `${site.code} in ${site.milliseconds} ms`}<br>`
}
