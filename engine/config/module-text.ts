import { type Token, tokens } from './tokens.js'

/** What can be read from the text of a module without running it. */
export interface ModuleText {
  /** Doc comments by exported name. */
  readonly docs: Readonly<Record<string, string>>
  /** Where each exported name is declared, as an offset into the text. */
  readonly declared: Readonly<Record<string, number>>
  /** Specifiers that it imports or re-exports, as written, and where they stand. */
  readonly imports: readonly { readonly specifier: string; readonly at: number }[]
  /** Names passed on from other modules: `export { a as b } from './x'` is b: ['./x', 'a']. */
  readonly passedOn: Readonly<Record<string, readonly [specifier: string, name: string]>>
  /** Specifiers of `export * from`. */
  readonly stars: readonly string[]
}

const declarations = new Set(['const', 'let', 'var', 'function', 'class', 'async', 'abstract', 'declare', 'enum'])

/**
 * Reads exports, their doc comments and imports from the text of a module. TypeScript is not needed for it.
 *
 * @example moduleText('/** Say hello. *\/ export const hello = task({})').docs // { hello: 'Say hello.' }
 */
export function moduleText(source: string): ModuleText {
  const all = tokens(source)
  const code = all.filter(({ kind }) => kind !== 'comment')
  const comments = commentsBefore(all)
  const docs: Record<string, string> = {}
  const declared: Record<string, number> = {}
  /** Of names declared without `export`, for `export { name }` below. */
  const local = new Map<string, { doc: string | undefined; at: number }>()
  const listed: { from: string; to: string; doc: string | undefined; at: number }[] = []
  const passedOn: Record<string, readonly [string, string]> = {}
  const stars: string[] = []
  const imports: { specifier: string; at: number }[] = []

  const found = (name: string, doc: string | undefined, at: number) => {
    declared[name] ??= at
    if (doc !== undefined) docs[name] ??= doc
  }
  for (let index = 0; index < code.length; index += 1) {
    const token = code[index]
    if (token === undefined || token.kind !== 'word') continue
    const next = code[index + 1]
    const afterDot = code[index - 1]?.text === '.'
    if (!afterDot && (token.text === 'import' || token.text === 'require') && next?.text === '(') {
      const argument = code[index + 2]
      if (argument?.kind === 'string') imports.push({ specifier: argument.text, at: argument.at })
      continue
    }
    if (token.depth !== 0 || afterDot) continue
    const doc = comments.get(token)
    if (token.text === 'import') {
      const from = sourceOf(code, index)
      if (from !== undefined) imports.push({ specifier: from.text, at: from.at })
    } else if (token.text === 'export' && (next?.text === '{' || next?.text === '*')) {
      const from = sourceOf(code, index)
      if (from !== undefined) imports.push({ specifier: from.text, at: from.at })
      const names = next.text === '{' ? listedNames(code, index + 2) : []
      for (const { name, as, token: at } of names) {
        if (from !== undefined) passedOn[as] = [from.text, name]
        else listed.push({ from: name, to: as, doc: comments.get(at), at: at.at })
      }
      if (next.text === '*' && from !== undefined && code[index + 2]?.text === 'from') stars.push(from.text)
    } else if (token.text === 'export') {
      const name = declaredName(code, index + 1)
      if (name !== undefined) found(name.text, doc, name.at)
    } else if (declarations.has(token.text) && !local.has(token.text)) {
      const name = declaredName(code, index)
      if (name !== undefined && !local.has(name.text)) local.set(name.text, { doc, at: name.at })
    }
  }
  for (const { from, to, doc, at } of listed) found(to, doc ?? local.get(from)?.doc, local.get(from)?.at ?? at)
  return { docs, declared, imports, passedOn, stars }
}

/** For each token right after a doc comment: the comment's text. */
function commentsBefore(all: readonly Token[]): ReadonlyMap<Token, string> {
  const found = new Map<Token, string>()
  let doc: string | undefined
  for (const token of all) {
    if (token.kind !== 'comment') {
      if (doc !== undefined) found.set(token, doc)
      doc = undefined
    } else if (/^\/\*\*[^*/]/.test(token.text)) doc = clean(token.text)
  }
  return found
}

/** The words of a doc comment, without stars and without what follows the first `@tag`. */
function clean(comment: string): string {
  const rows = comment
    .slice(3, -2)
    .split('\n')
    .map((row) => row.replace(/^\s*\* ?/, '').trimEnd())
  const tag = rows.findIndex((row) => /^\s*@\w/.test(row))
  return (tag === -1 ? rows : rows.slice(0, tag)).join('\n').trim()
}

function declaredName(code: readonly Token[], from: number): Token | undefined {
  for (let index = from; ; index += 1) {
    const token = code[index]
    if (token?.kind === 'word' && declarations.has(token.text)) continue
    if (token?.text === '*') continue
    return token?.kind === 'word' && index > from ? token : undefined
  }
}

/** The string of `… from 'x'` or `import 'x'`, where this statement has one. */
function sourceOf(code: readonly Token[], from: number): Token | undefined {
  for (let index = from + 1; index < code.length; index += 1) {
    const token = code[index]
    if (token === undefined || (token.depth === 0 && (token.text === ';' || token.text === '='))) return undefined
    if (token.kind === 'string' && token.depth === 0) {
      const before = code[index - 1]
      return before?.text === 'from' || index === from + 1 ? token : undefined
    }
    if (token.kind === 'word' && token.depth === 0 && (token.text === 'export' || token.text === 'import')) return undefined
    // `export { a }` without `from` ends with its brace.
    if (token.text === '}' && token.depth === 0 && code[index + 1]?.text !== 'from') return undefined
  }
  return undefined
}

/** The names between the braces of `export { a, b as c }`. */
function listedNames(code: readonly Token[], from: number): { name: string; as: string; token: Token }[] {
  const names: { name: string; as: string; token: Token }[] = []
  for (let index = from; index < code.length && code[index]?.text !== '}'; index += 1) {
    let token = code[index]
    if (token?.kind !== 'word') continue
    const first = token
    if (token.text === 'type' && code[index + 1]?.kind === 'word') {
      index += 1
      token = code[index]
    }
    const name = token?.text ?? ''
    let as = name
    if (code[index + 1]?.text === 'as') {
      as = code[index + 2]?.text ?? name
      index += 2
    }
    names.push({ name, as, token: first })
  }
  return names
}
