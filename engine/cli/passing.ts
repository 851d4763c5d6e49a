/** Tasks that end with the code of the command which they run; `dev` does where it is given one. */
export const passing = ['run', 'shell', 'psql', 'mysql', 'sqlite3', 'redis-cli', 'service-shell'] as const
/** What they end with where kraft itself failed: a command's own codes pass through them, and ssh has this one for the same. */
export const ownFailure = 255

/**
 * Whether a call ends with the code of the command that it runs.
 *
 * @example passesCode(['run:stage', '--', 'true']) // true
 */
export function passesCode(args: readonly string[]): boolean {
  const task = args[0]?.split(':')[0]
  return passing.some((name) => name === task) || (task === 'dev' && args.includes('--'))
}
