import { lines, type Sh, sh } from '../../engine/shell/sh.js'
import { backups } from './backups.js'
import { machine } from './machine.js'
import type { Found, Looked, StatusPart } from './part.js'
import { programs } from './programs.js'
import { services } from './services.js'
import { site } from './site.js'

/** What `kraft status` looks at beside releases, in the order in which it is shown. */
export const statusParts: readonly StatusPart[] = [site, programs, services, backups, machine]

const mark = (name: string) => `\u0001${name}`

/** One script of all parts, or of some. A part's end is not the script's. */
export function lookAtParts(looked: Parameters<StatusPart['look']>[0], parts = statusParts): Sh {
  return lines(
    ...parts.flatMap((part) => {
      const look = part.look(looked)
      if (look === undefined) return []
      return sh`
        printf '%s\n' ${mark(part.name)}
        (
        cd /
        export LC_ALL=C
        ${look}
        ) 2>/dev/null || :
      `
    }),
  )
}

/** What the parts make of what {@link lookAtParts} has printed, by their names. */
export function readParts(printed: string, looked: Looked, parts = statusParts): Readonly<Record<string, Found>> {
  const sections = new Map<string, string>()
  for (const section of printed.split('\u0001').slice(1)) {
    const end = section.indexOf('\n')
    sections.set(section.slice(0, end), section.slice(end + 1))
  }
  return Object.fromEntries(
    parts.flatMap((part) => {
      const section = sections.get(part.name)
      return section === undefined ? [] : [[part.name, part.read(section, looked)]]
    }),
  )
}
