import * as v from 'valibot'

const Detailed = v.looseObject({
  version: v.optional(v.string(), '*'),
  extras: v.optional(v.array(v.string()), []),
  markers: v.optional(v.string()),
  optional: v.optional(v.boolean(), false),
})

/**
 * A table of dependencies as Poetry and Pipenv write it, as requirements for pip; those that have no version of PyPI (git, path, url)
 * are in `unreadable` by name. Python itself and what is optional are left out.
 *
 * @example tableRequirements({ django: '^5.2', psycopg: { version: '*', extras: ['binary'] } }).rows
 * // ['django>=5.2,<6', 'psycopg[binary]']
 */
export function tableRequirements(table: Readonly<Record<string, unknown>>): {
  readonly rows: readonly string[]
  readonly unreadable: readonly string[]
} {
  const rows: string[] = []
  const unreadable: string[] = []
  for (const [name, value] of Object.entries(table)) {
    if (name.toLowerCase() === 'python') continue
    const said = v.safeParse(Detailed, typeof value === 'string' ? { version: value } : value)
    if (!said.success || ['git', 'path', 'url', 'file', 'ref'].some((key) => key in said.output)) {
      unreadable.push(name)
      continue
    }
    const { version, extras, markers, optional } = said.output
    if (optional) continue
    const more = extras.length === 0 ? '' : `[${extras.join(',')}]`
    rows.push(`${name}${more}${specifier(version)}${markers === undefined ? '' : ` ; ${markers}`}`)
  }
  return { rows, unreadable }
}

function specifier(version: string): string {
  return version
    .split(',')
    .map((each) => range(each.trim()))
    .filter((each) => each !== '')
    .join(',')
}

function range(part: string): string {
  if (part === '*' || part === '') return ''
  const [, sign, numbers] = /^(\^|~(?!=))\s*(\d+(?:\.\d+)*)/.exec(part) ?? []
  if (sign === undefined || numbers === undefined) return /^\d/.test(part) ? `==${part}` : part.replaceAll(/\s+/g, '')
  const digits = numbers.split('.').map(Number)
  // ^ holds the first number that is not zero, ~ the second one.
  const first = digits.findIndex((digit) => digit > 0)
  const held = sign === '^' ? (first === -1 ? digits.length - 1 : first) : Math.min(1, digits.length - 1)
  const next = digits.slice(0, held + 1).map((digit, index) => (index === held ? digit + 1 : digit))
  return `>=${numbers},<${next.join('.')}`
}
