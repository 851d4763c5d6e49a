// npm passes a Ctrl-C on to what the terminal sent it to already: that is not yet a second one.
const echo = 500

/**
 * A listener for SIGINT that tells a second Ctrl-C from the first; the second ends kraft at once, with exit code 130.
 *
 * @example process.on('SIGINT', ctrlC(() => abort.abort()))
 */
export function ctrlC(first: () => void): () => void {
  let at: number | undefined
  return () => {
    if (at !== undefined && performance.now() - at > echo) process.exit(130)
    if (at !== undefined) return
    at = performance.now()
    first()
  }
}
