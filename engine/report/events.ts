import type { NodeEnd } from './node-summary.js'
import { type Item, type Line, type Mark, marked, type Report } from './report.js'
import { runAll } from './run-all.js'

/** What `--events` prints, one JSON document a line. `id` names a line of the list, `parent` the one above it. */
export type ReportEvent =
  | { readonly event: 'begin'; readonly id: number; readonly parent?: number; readonly title: string }
  | { readonly event: 'output'; readonly id: number; readonly text: string }
  | {
      readonly event: 'end'
      readonly id: number
      readonly title: string
      readonly status: 'done' | 'failed' | 'skipped'
      /** How long it took. */
      readonly milliseconds: number
      readonly reason?: string
      /** How a step ended. */
      readonly mark?: Mark
    }
  | {
      readonly event: 'progress'
      readonly id: number
      /** Bytes, bytes a second, seconds. */
      readonly done: number
      readonly total?: number
      readonly rate: number
      readonly remaining?: number
    }
  | { readonly event: 'note'; readonly text: string }
  /** At the end, where several nodes took part: how each ended. */
  | { readonly event: 'nodes'; readonly nodes: readonly NodeEnd[] }

/** The same work as newline-delimited events for programs. */
export function eventReport(write: (text: string) => void): Report {
  let last = 0
  const emit = (event: ReportEvent) => write(`${JSON.stringify(event)}\n`)
  const list = (items: readonly Item[], parent: number | undefined, concurrent: boolean | number = false) =>
    runAll(items, concurrent, async (item) => {
      last += 1
      const id = last
      let title = item.title
      let reason: string | undefined
      let mark: Mark | undefined
      const started = performance.now()
      const milliseconds = () => Math.round(performance.now() - started)
      emit({ event: 'begin', id, ...(parent === undefined ? {} : { parent }), title })
      const line: Line = {
        title: (text, how) => {
          title = marked(text, how)
          mark = how
        },
        output: (text) => emit({ event: 'output', id, text }),
        progress: ({ done, total, rate, remaining }) =>
          emit({
            event: 'progress',
            id,
            done,
            ...(total === undefined ? {} : { total }),
            rate,
            ...(remaining === undefined ? {} : { remaining: Math.round(remaining) }),
          }),
        skip: (why) => {
          reason = why
        },
        list: (inner, options) => list(inner, id, options?.concurrent),
      }
      try {
        await item.run(line)
      } catch (error) {
        emit({ event: 'end', id, title, status: 'failed', milliseconds: milliseconds() })
        throw error
      }
      const end = { event: 'end' as const, id, title, milliseconds: milliseconds(), ...(mark === undefined ? {} : { mark }) }
      emit(reason === undefined ? { ...end, status: 'done' } : { ...end, status: 'skipped', reason })
    })
  return {
    list: (items, options) => list(items, undefined, options?.concurrent),
    note: (text) => emit({ event: 'note', text }),
    nodes: (nodes) => emit({ event: 'nodes', nodes }),
    aside: (other) => other(),
    stop: () => undefined,
  }
}
