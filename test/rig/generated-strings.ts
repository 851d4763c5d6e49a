const pieces = [
  ...'\'"`$\\ \n\t\r*?[]{}()<>|&;#!~^%=-',
  '--',
  '-n',
  '$(id)',
  '${HOME}',
  '$HOME',
  '`id`',
  "'\\''",
  '\\n',
  '\u0001',
  '\u001b[31m',
  '\u007f',
  'é',
  '日本',
  '👩‍🚀',
  '\u00a0',
  'a',
  'word',
  '',
]

/**
 * Strings of everything that a shell minds, and no NUL, the same for each seed.
 *
 * @example generatedStrings(3, 1) // ['$HOME\n--', …]
 */
export function generatedStrings(count: number, seed: number): readonly string[] {
  const random = generator(seed)
  return Array.from({ length: count }, () =>
    Array.from({ length: Math.floor(random() * 9) }, () => pieces[Math.floor(random() * pieces.length)] ?? '').join(''),
  )
}

/** Numbers in [0, 1), the same for each seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
