import { inYaml } from './in-yaml.js'
import { isOptional } from './json-schema.js'
import type { Key, Section } from './section.js'

/** A key of a section as its documentation shows it. */
export interface DocumentedKey {
  readonly key: string
  readonly doc: string
  readonly default?: unknown
  readonly example?: unknown
  readonly required?: true
  readonly secret?: true
}

/** The documentation of a section as data. */
export function documented(section: Section): readonly DocumentedKey[] {
  return Object.entries(section).map(([key, { schema, doc, example, secret }]) => ({
    key,
    doc,
    ...only('default', 'default' in schema ? schema.default : undefined),
    ...only('example', example),
    ...(isOptional(schema) ? {} : { required: true }),
    ...(secret === true ? { secret } : {}),
  }))
}

/** The documentation of a section as a table in Markdown. */
export function markdownTable(section: Section): string {
  const rows = documented(section).map(({ key, doc, required, secret, ...shown }) => {
    const facts = `${required ? ' Required.' : ''}${secret ? ' Secret.' : ''}`
    return `| \`${key}\` | ${cell(sentence(doc))}${facts} | ${code(shown.default)} | ${code(shown.example)} |`
  })
  return ['| Key | | Default | Example |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

/** The documentation of a section for a terminal: a line for each key. */
export function textTable(section: Section): string {
  const rows = documented(section)
  const width = Math.max(0, ...rows.map(({ key }) => key.length)) + 2
  return rows
    .map(({ key, doc, required, secret, ...shown }) => {
      const facts = [
        required && 'required',
        secret && 'secret',
        shown.default !== undefined && `default: ${inYaml(shown.default)}`,
        shown.example !== undefined && shown.example !== shown.default && `as in ${inYaml(shown.example)}`,
      ].filter((fact) => typeof fact === 'string')
      return `  ${key.padEnd(width)}${doc}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}`
    })
    .join('\n')
}

/** Text with a capital letter at its start and a full stop at its end. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}

function only(name: 'default' | 'example', value: Key['example']): { readonly [key in typeof name]?: unknown } {
  const isEmpty = value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  return isEmpty || typeof value === 'function' ? {} : { [name]: value }
}

function code(value: unknown): string {
  return value === undefined ? '' : `\`${cell(inYaml(value))}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
