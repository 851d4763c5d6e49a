import { commonJs } from '../config/common-js.js'

/**
 * The known word that a misspelt one most likely means, if any is near enough (a third of its letters may differ).
 *
 * @example nearest('doman', ['domain', 'workers']) // 'domain'
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  // Nobody misspells most of the time, and an error is made in synchronous code.
  const { distance } = commonJs<typeof import('fastest-levenshtein')>('fastest-levenshtein')
  let best: { word: string; cost: number } | undefined
  for (const candidate of known) {
    const cost = isSwap(word, candidate) ? 1 : distance(word.toLowerCase(), candidate.toLowerCase())
    if (best === undefined || cost < best.cost) best = { word: candidate, cost }
  }
  return best !== undefined && best.cost <= Math.max(1, Math.ceil(word.length / 3)) ? best.word : undefined
}

/** ` Did you mean "domain"?`, or nothing where no known word is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const found = nearest(word, known)
  return found === undefined ? '' : ` Did you mean "${found}"?`
}

/** Two neighbours changed places: fingers do that at once. */
function isSwap(word: string, candidate: string): boolean {
  const at = [...word].findIndex((letter, index) => letter !== candidate[index])
  return (
    at >= 0 &&
    word.length === candidate.length &&
    `${word.slice(0, at)}${word[at + 1]}${word[at]}${word.slice(at + 2)}` === candidate
  )
}
