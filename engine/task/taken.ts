/**
 * Tells which names a function takes out of its first argument: `({ $, facts }) => …` takes `$` and `facts`. Where its source does not
 * show that (`(context) => …`, `({ ...all }) => …`), it may take all. As with the fixtures of test runners, what nobody takes need not be made.
 *
 * @example takenBy(({ $ }) => $`true`)('facts') // false
 */
export function takenBy(body: (...given: never[]) => unknown): (name: string) => boolean {
  const names = namesOf(Function.prototype.toString.call(body))
  return names === undefined ? () => true : (name) => names.has(name)
}

function namesOf(source: string): ReadonlySet<string> | undefined {
  const text = source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ' ')
  // A method, a function or an arrow function; one without parentheses has its arrow before any of them.
  const [, first] = /^(?:async\b)?\s*(?:function\b)?\s*\*?\s*[\w$]*\s*\(\s*([)\]{\w$.])/.exec(text) ?? []
  if (first === undefined || /\barguments\b|\[native code\]/.test(text)) return undefined
  if (first === ')') return new Set()
  return first === '{' ? keysOf(text.slice(text.indexOf('{') + 1)) : undefined
}

/** The keys of an object pattern, from behind its opening brace. */
function keysOf(pattern: string): ReadonlySet<string> | undefined {
  const keys = new Set<string>()
  let depth = 0
  let key = ''
  for (const character of pattern) {
    if (depth === 0 && (character === ',' || character === '}')) {
      const [name = ''] = key.trim().split(/\s*[:=]/)
      if (name !== '') {
        if (!/^[\w$]+$/.test(name)) return undefined
        keys.add(name)
      }
      if (character === '}') return keys
      key = ''
      continue
    }
    // Quotes in a default value could hold any bracket: whoever writes them gets all.
    if (/['"`]/.test(character)) return undefined
    if (/[{[(]/.test(character)) depth++
    if (/[}\])]/.test(character)) depth--
    key += character
  }
  return undefined
}
