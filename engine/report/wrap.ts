/**
 * Words in lines of so many letters, each with as many as fit. A word that is longer has a line of its own.
 *
 * @example wrap(['a', 'bc', 'd'], 4) // ['a bc', 'd']
 */
export function wrap(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = []
  for (const word of words) {
    const line = lines.pop()
    if (line === undefined) lines.push(word)
    else if (line.length + 1 + word.length <= width) lines.push(`${line} ${word}`)
    else lines.push(line, word)
  }
  return lines
}
