// Rows as people read them.

/** A table in Markdown. */
export function table(rows) {
  const cells = [
    ['', 'median', 'p10 to p90', 'runs', 'more than', 'aim'],
    ...rows.map((row) => [
      row.what,
      duration(row.median),
      row.runs === 1 ? '' : `${duration(row.p10)} to ${duration(row.p90)}`,
      String(row.runs),
      row.more === undefined ? '' : `${row.over} +${duration(row.more)}`,
      row.aim === undefined ? '' : `${row.more === undefined ? '' : '+'}${duration(row.aim)}${reached(row) ? '' : ' missed'}`,
    ]),
  ]
  const widths = cells[0].map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)))
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  return [line(cells[0]), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...cells.slice(1).map(line)].join('\n')
}

function reached({ aim, more, median }) {
  return (more ?? median) <= aim
}

function duration(milliseconds) {
  return Math.abs(milliseconds) < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}
