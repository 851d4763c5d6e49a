/**
 * Whether a whole text fits a pattern in which `*` is any text, `?` any one letter, and all else itself.
 *
 * @example fitsWildcard('web?.*', 'web1.example.com') // true
 */
export function fitsWildcard(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(text)
}
