import { redact } from '../shell/redact.js'
import type { Item, Line, Report } from './report.js'

/** A report that shows no secret, whoever says it: every title, line of output, reason and note is masked first. */
export function redacted(report: Report): Report {
  return {
    ...report,
    list: (items, options) => report.list(items.map(item), options),
    note: (text) => report.note(redact(text)),
  }
}

function item({ title, run, ...more }: Item): Item {
  return { ...more, title: redact(title), run: (own) => run(line(own)) }
}

function line(own: Line): Line {
  return {
    title: (text, mark) => own.title(redact(text), mark),
    output: (text, kind) => own.output(redact(text), kind),
    skip: (reason) => own.skip(redact(reason)),
    list: (items, options) => own.list(items.map(item), options),
    progress: (done) => own.progress?.(done),
  }
}
