/** What the list of tasks shows of each; plain data, so that it can be cached. */
export interface Listed {
  readonly name: string
  readonly help: string
  readonly group: string
}

/** The list of tasks as `kraft` prints it. */
export function printList(tasks: readonly Listed[], columns: number): string {
  const width = Math.max(...tasks.map(({ name }) => name.length)) + 2
  const groups = [...new Set(tasks.map(({ group }) => group))]
  const rows = groups.flatMap((group) => [
    '',
    group,
    ...tasks
      .filter((each) => each.group === group)
      .map(({ name, help }) => `  ${name.padEnd(width)}${clip(help, columns - width - 2)}`),
  ])
  return `Usage: kraft TASK[:TARGET] [ARGUMENTS] [--options] [-- COMMAND]\n${rows.join('\n')}\n\nkraft help TASK says more.\n`
}

function clip(text: string, width: number): string {
  return text.length <= width || width < 10 ? text : `${text.slice(0, width - 1)}…`
}
