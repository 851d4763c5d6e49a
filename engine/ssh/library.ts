/** Loads ssh2, which costs 43 ms, when the first connection is opened and not before. */
export async function ssh2(): Promise<typeof import('ssh2')> {
  return (await import('ssh2')).default
}
