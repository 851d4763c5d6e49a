import { html } from 'hono/html'
import type { Sample } from '../history.js'
import type { Piece } from './frame.js'

/** What a chart shows. */
export interface Chart {
  readonly title: string
  readonly samples: readonly Sample[]
  /** Which of the numbers. */
  readonly value: string
  /** How one is read by people. */
  readonly format: (value: number) => string
  /** The upper edge, where that is no matter of what was measured. */
  readonly top?: number
}

const [width, height] = [300, 60]
/** As many points as can be told apart. */
const most = 150
/** Milliseconds without a sample that are a gap, not a line: kraft or the node was away. */
const gap = 60_000

/** Numbers over time, as a line; before the second sample there is nothing to draw. */
export function chart({ title, samples, value, format, top }: Chart): Piece {
  const all = samples.flatMap(({ at, values }) => (values[value] === undefined ? [] : [{ at, number: values[value] }]))
  const [first, last] = [all[0], all.at(-1)]
  if (first === undefined || last === undefined) return html``
  const highest = all.reduce((max, { number }) => Math.max(max, number), 0)
  const edge = top ?? (highest === 0 ? 1 : highest * 1.1)
  const span = Math.max(1, last.at - first.at)
  const x = (at: number) => round(((at - first.at) / span) * width)
  const y = (number: number) => round(height - (Math.min(number, edge) / edge) * height)
  const points = thinned(all).map(({ at, number }, index, shown) => {
    const before = shown[index - 1]
    const broken = before === undefined || at - before.at > Math.max(gap, (span / most) * 3)
    return `${broken ? 'M' : 'L'}${x(at)} ${y(number)}`
  })
  return html`<figure><figcaption><span>${title}</span> <b>${format(last.number)}</b></figcaption>
<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${title}: ${format(last.number)} now, at most ${format(highest)} since ${clock(first.at)}">
<path d="${points.join('')}" vector-effect="non-scaling-stroke"/></svg>
<p class="axis"><span>${clock(first.at)}</span><span>at most ${format(highest)}</span><span>${clock(last.at)}</span></p></figure>`
}

/** Of as many neighbours as fall together the highest: a peak is what one looks for. */
function thinned<T extends { readonly number: number }>(all: readonly T[]): readonly T[] {
  const together = Math.ceil(all.length / most)
  if (together <= 1) return all
  return Array.from({ length: Math.ceil(all.length / together) }, (_, index) =>
    all.slice(index * together, (index + 1) * together).reduce((high, each) => (each.number > high.number ? each : high)),
  )
}

/** The time of day on this machine. */
export function clock(at: number): string {
  const time = new Date(at)
  return [time.getHours(), time.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
