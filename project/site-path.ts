/**
 * Why a text can't be the path of a rule (`cache:`, `protect:`), or undefined where it can.
 *
 * @example sitePathProblem('blog') // 'a path on the site, as in /blog/ or /blog/*.html'
 */
export function sitePathProblem(path: string): string | undefined {
  // It lands in nginx's configuration, where a quote or a brace would be more than a path.
  return /^\/[\p{L}\p{N}._~*@:+,=/-]*$/u.test(path) ? undefined : 'a path on the site, as in /blog/ or /blog/*.html'
}

/**
 * What a path of a rule means, as a regular expression of nginx: the path itself and all below it, or, with stars in it, what the stars
 * leave open. One star stays within a folder, two do not.
 *
 * @example sitePathPattern('/blog') // '^/blog(/|$)'
 */
export function sitePathPattern(path: string): string {
  const pattern = path.replace(/[.+]/g, '\\$&').replace(/\*\*|\*/g, (stars) => (stars === '**' ? '.*' : '[^/]*'))
  if (path.endsWith('/')) return `^${pattern}`
  return path.includes('*') ? `^${pattern}$` : `^${pattern}(/|$)`
}

/** Paths of rules, those that say most first: of two that fit, the longer one counts. */
export function bySpecificity(one: string, other: string): number {
  return other.length - one.length || (one < other ? -1 : 1)
}
