import { readFileSync } from 'node:fs'
import { ownFile } from './find.js'

/** What a template can name. */
export interface TemplateVariable {
  readonly name: string
  /** As TypeScript writes it; `Place` and `Layout` are those of the kraftfile API. */
  readonly type: string
  /** It is not given always. */
  readonly optional: boolean
  readonly doc: string
}

/** What is known of one of kraftwerk's own templates: what its header says. */
export interface TemplateHeader {
  /** What the file is for. */
  readonly doc: string
  /** Where it lands; NAME is the instance's. Undefined for a part of other templates. */
  readonly to: string | undefined
  /** Octal, as of what it becomes; undefined where it does not land on a node as a file of its own. */
  readonly mode: string | undefined
  /** `OWNER:GROUP` there. */
  readonly owner: string
  /** The templates that include it: it can name all that these can. */
  readonly partOf: readonly string[]
  readonly variables: readonly TemplateVariable[]
}

/**
 * The header of kraftwerk's own template of this name, also where a project has another in its place; undefined for a template that only
 * a user has, and for what is copied as it is.
 *
 * @example templateHeader('nginx/unclaimed.conf')?.variables[0]?.name // 'listen'
 */
export function templateHeader(name: string): TemplateHeader | undefined {
  const file = ownFile(name)
  return file === undefined ? undefined : parseHeader(readFileSync(file, 'utf8'))
}

/**
 * Reads the comment of EJS that a template begins with, which has the form of a doc comment: a description, and tags behind it.
 *
 * @example parseHeader('<%#\nGreets.\n@to /etc/motd\n@mode 0644\n@param {string} who - Whom.\n-%>\nhello <%= who %>\n')?.to // '/etc/motd'
 */
export function parseHeader(text: string): TemplateHeader | undefined {
  const header = /^<%#\n([\s\S]*?)\n-%>/.exec(text)?.[1]
  if (header === undefined) return undefined
  // A tag ends where the next one begins.
  const [doc = '', ...tags] = header.split(/\n(?=@)/).map((part) => part.replaceAll(/\s*\n\s*/g, ' ').trim())
  const valuesOf = (tag: string) =>
    tags.filter((each) => each.startsWith(`@${tag} `)).map((each) => each.slice(tag.length + 2).trim())
  return {
    doc,
    to: valuesOf('to')[0],
    mode: valuesOf('mode')[0],
    owner: valuesOf('owner')[0] ?? 'root:root',
    partOf: valuesOf('partOf').flatMap((names) => names.split(', ')),
    variables: valuesOf('param').flatMap(variable),
  }
}

function variable(tag: string): readonly TemplateVariable[] {
  const [, type = '', name = '', doc = ''] = /^\{(.*?)\} (\[?[\w.]+\]?) - (.*)$/.exec(tag) ?? []
  return name === '' ? [] : [{ name: name.replaceAll(/[[\]]/g, ''), type, optional: name.startsWith('['), doc }]
}
