/**
 * The rules of a file in the syntax of .gitignore, read once and asked often. Paths are relative to the folder of the file.
 */
export interface IgnoreRules {
  /** What the last rule that matches says: left out, taken in, or nothing. Of the path alone: its folders are asked before it. */
  verdict(path: string, isFolder: boolean): 'out' | 'in' | undefined
}

interface Rule {
  readonly verdict: 'out' | 'in'
  readonly folderOnly: boolean
  /** Matches the last part of a path, else all of it. */
  readonly nameOnly: boolean
  readonly pattern: RegExp
}

/**
 * Reads rules as git does, byte for byte.
 *
 * @example readIgnoreRules('*.log\n!keep.log\n').verdict('app/debug.log', false) // 'out'
 */
export function readIgnoreRules(text: string): IgnoreRules {
  const rules = bytes(text.replace(/^\uFEFF/, ''))
    .split('\n')
    .map((line) => readRule(line.replace(/\r$/, '')))
    .filter((rule) => rule !== undefined)
    .reverse()
  return {
    verdict: (path, isFolder) => {
      const whole = bytes(path)
      const name = whole.slice(whole.lastIndexOf('/') + 1)
      const rule = rules.find(
        ({ folderOnly, nameOnly, pattern }) => (isFolder || !folderOnly) && pattern.test(nameOnly ? name : whole),
      )
      return rule?.verdict
    },
  }
}

// git compares bytes, so that `?` is half of an ü: here each byte becomes one character.
function bytes(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1')
}

function readRule(line: string): Rule | undefined {
  if (line.startsWith('#')) return undefined
  let text = withoutTrailingBlanks(line)
  const verdict = text.startsWith('!') ? 'in' : 'out'
  if (verdict === 'in') text = text.slice(1)
  const folderOnly = text.endsWith('/')
  if (folderOnly) text = text.slice(0, -1)
  const nameOnly = !text.includes('/')
  const pattern = compile(text.replace(/^\//, ''), nameOnly)
  return pattern === undefined ? undefined : { verdict, folderOnly, nameOnly, pattern }
}

function withoutTrailingBlanks(line: string): string {
  const kept = /^(?:\\.|[^\\ ]|\\$| +(?=[^ ]))*/s.exec(line)
  return kept?.[0] ?? line
}

/** A pattern as a regular expression; undefined for one that can match nothing. */
function compile(glob: string, nameOnly: boolean): RegExp | undefined {
  if (glob === '') return undefined
  const any = nameOnly ? '.' : '[^/]'
  // git compares what stands before the first mark by itself, and for the rest it is as if the pattern began there.
  const start = glob.search(/[*?[\\]/)
  let made = ''
  for (let at = 0; at < glob.length; ) {
    const character = glob[at] ?? ''
    if (character === '*') {
      const stars = /^\*+/.exec(glob.slice(at))?.[0].length ?? 1
      const end = at + stars
      const alone = !nameOnly && stars >= 2 && (at === start || glob[at - 1] === '/') && /^(?:$|\\?\/)/.test(glob.slice(end))
      // The slash behind `**` belongs to it.
      const deep = alone && glob[end] === '/'
      made += deep ? '(?:.*/)?' : alone ? '.*' : `${any}*`
      at = deep ? end + 1 : end
    } else if (character === '?') {
      made += any
      at++
    } else if (character === '[') {
      const set = readSet(glob, at)
      if (set === undefined) return undefined
      made += nameOnly ? set.pattern : `(?!/)${set.pattern}`
      at = set.end
    } else if (character === '\\') {
      const next = glob[at + 1]
      if (next === undefined) return undefined
      made += literal(next)
      at += 2
    } else {
      made += literal(character)
      at++
    }
  }
  return new RegExp(`^${made}$`, 's')
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')
}

const classes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    alnum: '0-9A-Za-z',
    alpha: 'A-Za-z',
    blank: ' \\t',
    cntrl: '\\0-\\x1f\\x7f',
    digit: '0-9',
    graph: '!-~',
    lower: 'a-z',
    print: ' -~',
    punct: '!-\\/:-@\\[-`{-~',
    space: '\\t-\\r ',
    upper: 'A-Z',
    xdigit: '0-9A-Fa-f',
  }),
)

/** `[a-z]`, from its bracket on; undefined where it has no end or an unknown class, which git matches with nothing. */
function readSet(glob: string, start: number): { pattern: string; end: number } | undefined {
  let at = start + 1
  const negated = glob[at] === '!' || glob[at] === '^'
  if (negated) at++
  let made = ''
  // One character as it is meant, or undefined at the end.
  const one = (): string | undefined => {
    if (glob[at] === '\\') at++
    return glob[at++]
  }
  for (let first = true; first || glob[at] !== ']'; first = false) {
    const named = /^\[:([^\]]*?):\]/.exec(glob.slice(at))
    if (named !== null) {
      const set = classes.get(named[1] ?? '')
      if (set === undefined) return undefined
      made += set
      at += named[0].length
      continue
    }
    const low = one()
    if (low === undefined) return undefined
    if (glob[at] === '-' && glob[at + 1] !== ']' && glob[at + 1] !== undefined) {
      at++
      const high = one()
      if (high === undefined) return undefined
      // An empty range holds nothing, but its first character counts to git.
      made += low <= high ? `${literal(low)}-${literal(high)}` : literal(low)
    } else made += literal(low)
  }
  return { pattern: `[${negated ? '^' : ''}${made}]`, end: at + 1 }
}
