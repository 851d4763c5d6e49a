import { html, raw } from 'hono/html'
import type { Attention } from '../../../recipes/status/part.js'
import type { Views } from '../watch.js'

/** A piece of a page. Whatever is put into one is escaped, unless it is a piece itself. */
export type Piece = ReturnType<typeof html>

/** A page that is shown. */
export interface Page {
  readonly title: string
  /** What is shown anew whenever something changed. */
  readonly live: Piece
  /** What stays as it is. */
  readonly still?: Piece
}

// Apart, because the bundler takes a tagged template that ends a script to pieces.
const script = raw('<script src="/page.js" defer></script>')

/** A whole page, with what all have. */
export function frame({ title, live, still }: Page, { environments }: Pick<Views, 'environments'>, version: string): Piece {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · kraft</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/style.css">
${script}
</head>
<body>
<header>
<nav><a href="/">kraft</a>${environments.map(({ word }) => html` <a href="${environmentPath(word)}">${word}</a>`)}</nav>
<p id="link" role="status">not live yet</p>
</header>
<main>
<h1>${title}</h1>
<div id="live">${live}</div>
${still ?? ''}
</main>
<footer>kraft ${version}. Nothing can be changed from here.</footer>
</body>
</html>
`
}

/** Where an environment's page is. */
export function environmentPath(word: string): string {
  return `/environments/${encodeURIComponent(word)}`
}

/** Where a node's page is. */
export function nodePath(name: string): string {
  return `/nodes/${encodeURIComponent(name)}`
}

/** Something that needs a hand, with whose it is. */
export interface Needed extends Attention {
  readonly whose: string
}

/** What needs a hand, and what to do about it. */
export function attentionList(needed: readonly Needed[]): Piece {
  if (needed.length === 0) return html`<p class="well">Nothing that was looked at needs a hand.</p>`
  const items = needed.map(
    ({ whose, what, next }) => html`<li><strong>${whose}</strong>: ${what}<br><span class="next">${next}</span></li>`,
  )
  return html`<section class="attention" aria-label="Needs a hand"><h2>Needs a hand</h2><ul>${items}</ul></section>`
}

/** A table, whose rows become cards where the page is narrow. Nothing without rows. */
export function table(caption: string, heads: readonly string[], rows: readonly (readonly (Piece | string)[])[]): Piece | string {
  if (rows.length === 0) return ''
  const cells = (row: readonly (Piece | string)[]) =>
    row.map((cell, index) =>
      cell === '' ? html`<td class="empty"></td>` : html`<td data-head="${heads[index]}"><span>${cell}</span></td>`,
    )
  return html`<table><caption>${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>`)}</tbody></table>`
}
