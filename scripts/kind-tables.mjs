// What services and providers can, as tables: from which of their parts each has.
import { readFileSync } from 'node:fs'

/** A page with the table of this name put where it says that it belongs. */
export function withTable(file, name, table) {
  const text = readFileSync(file, 'utf8')
  const mark = `<!-- ${name}: written by scripts/docs.mjs -->\n`
  const [before, rest] = text.split(mark)
  const after = rest?.slice(rest.indexOf('<!-- end -->'))
  if (after === undefined || !after.startsWith('<!-- end -->'))
    throw new Error(`${file} has no place for ${name}: ${mark.trim()}`)
  return `${before}${mark}\n${table}\n\n${after}`
}

/** The tables by name. */
export const of = { services: servicesTable, providers: providersTable }

/** What each service keeps, and how it is reached. */
function servicesTable(services) {
  return table(
    [
      'Service',
      'Its part of a bundle',
      'On a node of its own',
      'At an address',
      'A shell of its own',
      '`kraft forward`',
      'Settings',
    ],
    services.map(({ name, data, elsewhere, section, shell, door }) => [
      `[\`${name}\`](#${name})`,
      data === undefined ? '' : `\`${data.member}\``,
      tick(elsewhere?.server),
      tick(section.url),
      tick(shell),
      tick(door),
      Object.keys(section).length === 0 ? '' : `[keys](settings.md#services)`,
    ]),
  )
}

/** What each provider can beside making, describing and removing nodes: the tasks that it answers. */
function providersTable(providers) {
  return table(
    ['Provider', '`kraft start`', '`snapshot`', '`nodes --provider`', '`images`', '`sizes`', '`regions`', 'Settings'],
    providers.map(({ name, start, snapshots, list, images, sizes, regions, section }) => [
      `\`${name}\``,
      ...[start, snapshots, list, images, sizes, regions].map(tick),
      Object.keys(section).length === 0 ? '' : `[keys](settings.md#${name})`,
    ]),
  )
}

function tick(part) {
  return part === undefined ? '' : 'yes'
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
