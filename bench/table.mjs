// Rows as people read them.

/** A table in Markdown. */
export function table(rows) {
  const cells = [
    ['', 'median', 'p10 to p90', 'runs', 'compared', 'aim'],
    ...rows.map((row) => [
      row.what,
      row.count === undefined ? duration(row.median) : String(row.count),
      row.runs === 1 || row.p10 === undefined ? '' : `${duration(row.p10)} to ${duration(row.p90)}`,
      String(row.runs),
      row.more === undefined ? times(row.ratio) : `${row.over} +${duration(row.more)}`,
      aim(row),
    ]),
  ]
  const widths = cells[0].map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)))
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  return [line(cells[0]), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...cells.slice(1).map(line)].join('\n')
}

function aim(row) {
  const { most, ratio, aim, more, median, count, mostCount } = row
  if (mostCount !== undefined) return `${mostCount}${count <= mostCount ? '' : ' missed'}`
  if (most !== undefined) return `${times(most)}${ratio <= most ? '' : ' missed'}`
  if (aim === undefined) return ''
  return `${more === undefined ? '' : '+'}${duration(aim)}${(more ?? median) <= aim ? '' : ' missed'}`
}

function times(ratio) {
  return ratio === undefined ? '' : `${ratio.toFixed(2)} times`
}

function duration(milliseconds) {
  return Math.abs(milliseconds) < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}
