import { posix } from 'node:path'

/**
 * The path that an expression of Python means, relative to the project; undefined where it can't be told without running it. It knows
 * pathlib and os.path as settings use them; of a variable of the environment it takes the default.
 *
 * @example pathOf('BASE_DIR / "media"', 'shop/settings.py', new Map([['BASE_DIR', 'Path(__file__).resolve().parent.parent']])) // 'media'
 */
export function pathOf(
  expression: string,
  file: string,
  names: ReadonlyMap<string, { readonly value: string; readonly file: string }>,
  depth = 0,
): string | undefined {
  const text = expression.trim()
  const again = (part: string | undefined) => (part === undefined ? undefined : pathOf(part, file, names, depth + 1))
  if (depth > 20) return undefined
  if (text === '__file__') return file
  const plain = /^r?(["'])([^"'\\{}]*)\1$/.exec(text)?.[2]
  if (plain !== undefined) return plain.startsWith('/') ? undefined : plain
  const named = /^[A-Za-z_]\w*$/.test(text) ? names.get(text) : undefined
  if (named !== undefined) return pathOf(named.value, named.file, names, depth + 1)

  const division = splitTop(text, '/')
  if (division.length > 1) return joined(division.map(again))
  const method = /^([\s\S]+)\.(?:resolve\(\)|absolute\(\)|(parent)|parents\[(\d)\]|joinpath(\([\s\S]*\)))$/.exec(text)
  if (method !== null) {
    const [, of, parent, parents, more] = method
    if (more !== undefined) return joined([again(of), ...splitTop(more.slice(1, -1), ',').map(again)])
    return up(again(of), parent !== undefined ? 1 : parents === undefined ? 0 : Number(parents) + 1)
  }
  const [, called, inside = ''] = /^([\w.]+)\(([\s\S]*)\)$/.exec(text) ?? []
  if (called === undefined) return undefined
  if (/(^|\.)(environ\.get|getenv)$/.test(called)) return again(splitTop(inside, ',')[1])
  if (/(^|\.)(join|Path)$/.test(called)) return joined(splitTop(inside, ',').map(again))
  if (/(^|\.)dirname$/.test(called)) return up(again(inside), 1)
  return /(^|\.)(abspath|realpath|normpath|str)$/.test(called) ? again(inside) : undefined
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  const known = parts.filter((part) => part !== undefined)
  return known.length === parts.length ? posix.join(...known) : undefined
}

function up(path: string | undefined, levels: number): string | undefined {
  let at = path
  for (let level = 0; at !== undefined && level < levels; level++) at = at === '.' ? '..' : posix.dirname(at)
  return at
}

/** Splits at a character that stands in no brackets and no string. */
function splitTop(text: string, at: string): readonly string[] {
  const parts: string[] = ['']
  let depth = 0
  for (const [piece] of text.matchAll(/"[^"]*"|'[^']*'|[\s\S]/g)) {
    if (/^[([{]$/.test(piece)) depth++
    if (/^[)\]}]$/.test(piece)) depth--
    if (piece === at && depth === 0) parts.push('')
    else parts[parts.length - 1] += piece
  }
  return parts.filter((part) => part.trim() !== '')
}
