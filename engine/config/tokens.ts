/** A piece of TypeScript that matters for reading a kraftfile from outside. */
export interface Token {
  readonly kind: 'word' | 'string' | 'template' | 'number' | 'regexp' | 'comment' | 'mark'
  /** As written; of a string what is between its quotes. */
  readonly text: string
  /** Where it begins. */
  readonly at: number
  /** How many brackets of any kind are open around it. */
  readonly depth: number
}

const wordStart = /[\p{ID_Start}$_#@]/u
const wordPart = /[\p{ID_Continue}$\u200c\u200d]/u
const beforeRegexp = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'do',
  'else',
  'await',
  'yield',
  'instanceof',
])

/**
 * Cuts TypeScript or JavaScript into tokens without knowing its grammar: enough to tell code from strings, templates, regular
 * expressions and comments, and to know the depth of brackets. Never throws; unfinished text ends with the file.
 */
export function tokens(source: string): readonly Token[] {
  const found: Token[] = []
  /** Depths at which a `}` ends the `${` of a template rather than a block. */
  const templates: number[] = []
  let depth = 0
  let at = 0
  let last: Token | undefined

  const add = (kind: Token['kind'], end: number, text = source.slice(at, end)) => {
    const token: Token = { kind, text, at, depth }
    found.push(token)
    if (kind !== 'comment') last = token
    at = end
  }
  /** Reads template text from after its backquote or its `}` to the next `${` or the end. */
  const template = () => {
    let end = at + 1
    while (end < source.length && source[end] !== '`' && !source.startsWith('${', end)) end += source[end] === '\\' ? 2 : 1
    const nested = source.startsWith('${', end)
    add('template', Math.min(source.length, end + (nested ? 2 : 1)))
    if (nested) {
      depth += 1
      templates.push(depth)
    }
  }

  if (source.startsWith('#!')) at = lineEnd(source, 0)
  while (at < source.length) {
    const char = source[at] ?? ''
    if (/\s|\ufeff/.test(char)) at += 1
    else if (source.startsWith('//', at)) add('comment', lineEnd(source, at))
    else if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2)
      add('comment', end === -1 ? source.length : end + 2)
    } else if (char === '"' || char === "'") {
      const end = stringEnd(source, at)
      add('string', end, source.slice(at + 1, end - 1))
    } else if (char === '`') template()
    else if (char === '/' && regexpMayStand(last)) add('regexp', regexpEnd(source, at))
    else if (wordStart.test(char)) {
      let end = at + 1
      while (end < source.length && wordPart.test(source[end] ?? '')) end += 1
      add('word', end)
    } else if (/\d/.test(char)) {
      let end = at + 1
      while (end < source.length && /[\w.]/.test(source[end] ?? '')) end += 1
      add('number', end)
    } else if (char === '}' && templates.at(-1) === depth) {
      templates.pop()
      depth -= 1
      template()
    } else {
      if (/[)\]}]/.test(char)) depth = Math.max(0, depth - 1)
      add('mark', at + 1)
      if (/[([{]/.test(char)) depth += 1
    }
  }
  return found
}

function lineEnd(source: string, from: number): number {
  const end = source.slice(from).search(/[\n\r\u2028\u2029]/)
  return end === -1 ? source.length : from + end
}

function stringEnd(source: string, from: number): number {
  let end = from + 1
  while (end < source.length && source[end] !== source[from] && source[end] !== '\n') end += source[end] === '\\' ? 2 : 1
  return Math.min(source.length, end + 1)
}

function regexpEnd(source: string, from: number): number {
  let inClass = false
  let end = from + 1
  for (; end < source.length && source[end] !== '\n'; end += 1) {
    const char = source[end]
    if (char === '\\') end += 1
    else if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if (char === '/' && !inClass) break
  }
  end += 1
  while (/[a-z]/.test(source[end] ?? '')) end += 1
  return Math.min(source.length, end)
}

/** After a value a slash divides; anywhere else it begins a regular expression. */
function regexpMayStand(last: Token | undefined): boolean {
  if (last === undefined) return true
  if (last.kind === 'word') return beforeRegexp.has(last.text)
  if (last.kind === 'mark') return !/[)\]}]/.test(last.text)
  return last.kind === 'template' && last.text.endsWith('${')
}
