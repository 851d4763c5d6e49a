import type { TemplateHeader } from '../engine/template/header.js'

/** A template as `kraft templates show` tells of it. */
export interface Described {
  readonly name: string
  /** Undefined for one that only a user has. */
  readonly header: TemplateHeader | undefined
  /** The user's file, where it takes the place of kraft's. */
  readonly file: string | undefined
}

/** What a template is for, where it lands, which file is used and what it can name, for a person. */
export function describeTemplate({ name, header, file }: Described): string {
  const used = file === undefined ? [] : [`${file} is used`]
  if (header === undefined) return [`${name} is one of your own, or is copied as it is.`, ...used].join('\n')
  const { doc, to, mode, owner, partOf, variables } = header
  const lands = to === undefined ? [] : [`Lands at ${to}${mode === undefined ? '' : ` (${owner}, ${mode})`}`]
  const part = partOf.length === 0 ? [] : [`A part of ${partOf.join(', ')}, whose variables it can name too`]
  const width = Math.max(...variables.map((each) => each.name.length))
  const rows = variables.flatMap((each) => [
    `  ${each.name.padEnd(width)}  ${each.doc}${each.optional ? ' Not always given.' : ''}`,
    `  ${' '.repeat(width)}  ${each.type}`,
  ])
  const given = variables.length > 0 ? ['', 'It can name', ...rows] : part.length > 0 ? [] : ['It is given nothing']
  return [doc, ...lands, ...part, ...used, ...given].join('\n')
}
